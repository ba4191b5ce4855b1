"""Plans the files of a chaos run, and compares their final state with the plan and a clean run."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks import corpus
from modulo.domain.files.file import Stage

REPLACED, DELETED, UNREADABLE = 0.06, 0.04, 0.05
"""Shares of the planned files."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file: the contents uploaded under its name, in order, and whether it is deleted afterwards."""

    name: str
    contents: tuple[bytes, ...]
    deleted: bool = False
    readable: bool = True

    @property
    def expected_stage(self) -> Stage | None:
        """The stage the file must end in; None if it is deleted."""
        return None if self.deleted else Stage.ready if self.readable else Stage.failed


def plan_files(count: int, *, seed: int) -> list[PlannedFile]:
    """Files of every format with one to eight pages; some are replaced, deleted or unreadable."""
    rng = random.Random(seed)
    formats = list(corpus.FORMATS.items())
    found = []
    for number in range(count):
        extension, write = formats[number % len(formats)]
        drawn = rng.random()
        if REPLACED <= drawn < REPLACED + UNREADABLE:
            found.append(PlannedFile(f"{number}.pdf", (b"%%PDF-1.7\n%d" % number,), readable=False))
            continue
        pages = [rng.choice((1, 1, 2, 8)) for _ in range(2 if drawn < REPLACED else 1)]
        contents = [write(corpus.sections(length, seed=seed + 10 * number + v)) for v, length in enumerate(pages)]
        found.append(PlannedFile(f"{number}.{extension}", tuple(contents), deleted=drawn > 1 - DELETED))
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """Final state of the files of one collection: the stage and the chunk texts of each."""

    stages: Mapping[str, Stage]
    texts: Mapping[str, Sequence[str]]
    rows: int
    """All rows in the vector store, including any that belong to no file."""


def differences(plan: Sequence[PlannedFile], found: Outcome, clean: Outcome) -> dict[str, list[str]]:
    """Names of the files whose final state is wrong, by kind of error."""
    expected = {one.name: one.expected_stage for one in plan if one.expected_stage}
    unfinished = [name for name, stage in found.stages.items() if stage.unfinished]
    wrong = [name for name, stage in found.stages.items() if not stage.unfinished and stage is not expected.get(name)]
    known = sum(map(len, found.texts.values()))
    return {
        "lost": [name for name in expected if name not in found.stages],
        "stuck": unfinished,
        "ended wrong": wrong,
        "other than in a clean run": [name for name in expected if found.texts.get(name) != clean.texts.get(name)],
        "chunks of no file": ["chunk"] * (found.rows - known),
    }
