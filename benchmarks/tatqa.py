"""TAT-QA's questions that a span answers, and its contexts, a table and its paragraphs each, as Markdown documents.

The set's files hold a few of the questions about the contexts of its dev split. Its own files, from its repository,
hold all of them, and those of its test split.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality_sets import MissingData, read_set
from modulo.cli.evaluation.answer_match import comparable
from modulo.cli.evaluation.golden import GoldenQuestion

OWN_FILES = {"dev": "tatqa_dataset_dev.json", "test": "tatqa_dataset_test_gold.json"}


@dataclass(frozen=True, slots=True)
class Split:
    """Documents by file name, and the questions about them that one span of a table or of a paragraph answers."""

    documents: Mapping[str, str]
    questions: Sequence[GoldenQuestion]


def read_split(folder: Path, name: str) -> Split:
    """The split of that name; of dev, without its own file, the few questions in the set.

    Raises:
        MissingData: a file of it is not in the folder.
    """
    own = folder / "tatqa" / OWN_FILES[name]
    if own.exists():
        contexts = json.loads(own.read_text(encoding="utf-8"))
        return Split({_name(number): _markdown(one) for number, one in enumerate(contexts)}, _spans(contexts))
    if name != "dev":
        raise MissingData(f"{own} is not there")
    few = read_set(folder, "tatqa")
    return Split(few.documents, [one for one in few.questions if len(one.answers) == 1])


def _name(number: int) -> str:
    return f"t{number}.md"


def _markdown(context: Mapping[str, Any]) -> str:
    """The context as the set's documents have it: the table, whose first row is its header, above the paragraphs."""
    header, *rows = [f"| {' | '.join(row)} |" for row in context["table"]["table"]]
    rule = f"|{'---|' * len(context['table']['table'][0])}"
    paragraphs = [one["text"] for one in sorted(context["paragraphs"], key=lambda one: one["order"])]
    return "\n\n".join(["\n".join([header, rule, *rows]), *paragraphs]) + "\n"


def _spans(contexts: Sequence[Mapping[str, Any]]) -> list[GoldenQuestion]:
    return [
        GoldenQuestion(
            id=one["uid"], question=one["question"], documents={_name(number): 1}, answers=(one["answer"][0],)
        )
        for number, context in enumerate(contexts)
        for one in context["questions"]
        if one["answer_type"] == "span" and len(one["answer"]) == 1 and comparable(one["answer"][0])
    ]
