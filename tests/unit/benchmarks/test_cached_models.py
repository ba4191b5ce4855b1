"""The memory of the model server that benchmarks of quality use."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.cached_models import Memory, RememberingModel
from modulo.cli.models.inference import Model


@dataclass
class Session:
    """Adds the ids up, and counts how often."""

    runs: int = 0

    def run(self, _: Any, inputs: dict[str, Any]) -> list[Any]:
        self.runs += 1
        return [np.array([[inputs["input_ids"].sum()]], dtype=np.float32)]


def test_a_text_is_computed_once_and_remembered_by_the_next_process(tmp_path: Path) -> None:
    session = Session()
    model: Any = Model("m", None, session, lambda row: row)  # type: ignore[arg-type]
    text: Any = SimpleNamespace(ids=[1, 2], type_ids=[0, 0], attention_mask=[1, 1])
    pair: Any = SimpleNamespace(ids=[1, 2], type_ids=[0, 1], attention_mask=[1, 1])
    for _ in range(2):
        memory = Memory(tmp_path / "new" / "models.sqlite")
        remembering = RememberingModel.of(model, memory)
        assert [remembering.run(one).tolist() for one in (text, pair, text)] == [[3.0]] * 3
        assert (remembering.counts.texts, remembering.counts.tokens) == (3, 6)
        memory.close()
    assert session.runs == 2
