"""Chain of thought by decomposition: a question with several parts becomes one step for each part."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from modulo.domain.answer import NOT_FOUND, Answer, Cited
from modulo.domain.passage import Passage

MOST_STEPS = 3
"""The architecture's reasoning depth: what goes beyond stays together in the last step."""

_ASKING = (
    "what|when|where|who|whom|whose|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have|had"
)
_JOINT = re.compile(rf"\?\s+|\s*;\s*|,?\s+and\s+(?=(?:{_ASKING})\b)", re.IGNORECASE)
_POINTING = re.compile(
    r"\b(it|its|they|them|their|he|him|his|she|her|this|that|these|those|there|then)\b", re.IGNORECASE
)
_MARK = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a question with what was found for it; marks in the answer count this step's passages."""

    question: str
    passages: tuple[Passage, ...]
    answer: Answer
    tokens: int
    seconds: float

    @property
    def confidence(self) -> float | None:
        """The score of the best passage that the step's answer cites; None where it cites none."""
        return max((cited.passage.score for cited in self.answer.cited), default=None)


def decompose(question: str) -> list[str]:
    """The parts of a question, at most `MOST_STEPS`; a question that has one part comes back alone.

    Parts end at a question mark, at a semicolon, or before "and" with another question behind it. A
    part that points back ("its", "they" …) names the first part behind it, so that it can be understood alone.
    """
    joints = list(_JOINT.finditer(question))[: MOST_STEPS - 1]
    starts = [0, *(joint.end() for joint in joints)]
    ends = [*(joint.start() for joint in joints), len(question)]
    parts = [question[start:end].strip(" \n\t?;,") for start, end in zip(starts, ends, strict=True)]
    parts = [part for part in parts if len(part.split()) > 1]
    if len(parts) < 2:
        return [question]
    first, *others = parts
    return [f"{first}?", *(f"{part}? ({first})" if _POINTING.search(part) else f"{part}?" for part in others)]


def combine(steps: Sequence[Step]) -> tuple[tuple[Passage, ...], Answer]:
    """The passages of all steps, each once, and their answers as one; marks then count these passages."""
    if len(steps) == 1:
        return steps[0].passages, steps[0].answer
    found: dict[UUID, Passage] = {}
    for step in steps:
        for passage in step.passages:
            found.setdefault(passage.chunk_id, passage)
    passages = tuple(found.values())
    places = {chunk_id: place for place, chunk_id in enumerate(found, start=1)}
    texts: list[str] = []
    cited: dict[int, Cited] = {}
    for step in steps:
        if not step.answer.found:
            continue
        marks = {one.mark: places[one.passage.chunk_id] for one in step.answer.cited}
        texts.append(_MARK.sub(partial(_renamed, marks), step.answer.text))
        for one in step.answer.cited:
            cited.setdefault(marks[one.mark], Cited(marks[one.mark], one.passage, one.excerpt))
    if not texts:
        return passages, Answer(NOT_FOUND, ())
    return passages, Answer("\n".join(texts), tuple(cited[mark] for mark in sorted(cited)))


def _renamed(marks: Mapping[int, int], found: re.Match[str]) -> str:
    """A mark of a step as a mark of all; a number in brackets that is no mark stays."""
    mark = int(found[1])
    return f"[{marks.get(mark, mark)}]"
