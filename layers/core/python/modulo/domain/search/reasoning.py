"""Reasoning: the steps of an answer, round by round, and the answer that they make together."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from uuid import UUID

from modulo.domain.answers.answer import Answer, CitedPassage
from modulo.domain.answers.decomposition import Part
from modulo.domain.answers.outcome import NOT_FOUND, wording
from modulo.domain.answers.reasoning_options import CotConfig, FormatType, ReasoningStrategy
from modulo.domain.answers.statements import without_marks
from modulo.domain.retrieval.passage import Passage
from modulo.domain.search.repeated_lines import RepeatedLines
from modulo.domain.search.search import MARK
from modulo.domain.text.sentences import sentences

MAX_EVIDENCE_CHARACTERS = 160
"""Of an earlier answer that a later step is searched for with."""
MAX_SHOWN_CHARACTERS = 200
"""Of a part of the question that has no answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a question with its passages and answer."""

    question: str
    passages: tuple[Passage, ...]
    answer: Answer
    tokens: int
    seconds: float
    asked: bool = True
    """False where the token budget was used up before."""
    read: tuple[Passage, ...] = ()
    """What the generator read, which marks count: the passages, or those of them that differ and their neighbours."""

    @property
    def confidence(self) -> float | None:
        """The score of the best passage that the step's answer cites; None where it cites none."""
        return max((cited.passage.score for cited in self.answer.cited), default=None)

    @property
    def evidence(self) -> str:
        """The beginning of what the answer rests on; empty where it rests on nothing."""
        excerpt = " ".join(self.answer.cited[0].excerpt.split()) if self.answer.cited else ""
        return _cut(excerpt, MAX_EVIDENCE_CHARACTERS)


class ToldStep(NamedTuple):
    """A step in the joined answer: its answer, if it counts as answered, and what is told where all steps are."""

    question: str
    answer: str
    told: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts are answered in which order; the parts of one round do not need each other's answers."""

    question: str
    parts: tuple[Part, ...]
    config: CotConfig

    @property
    def concludes(self) -> bool:
        """Whether the whole question is answered at the end, from what its parts found."""
        return len(self.parts) > 1 and self.config.reasoning_strategy is ReasoningStrategy.hierarchical

    @property
    def in_order(self) -> tuple[Part, ...]:
        """The parts of the question in the order in which they are answered."""
        rounds = self.config.reasoning_strategy is not ReasoningStrategy.iterative and self.config.context_preservation
        return tuple(sorted(self.parts, key=lambda part: part.waits)) if rounds else self.parts

    def first_round(self) -> tuple[Part, ...]:
        """What can be answered without knowing any answer."""
        match self.config.reasoning_strategy:
            case ReasoningStrategy.iterative | ReasoningStrategy.causal:
                return self.parts[:1]
            case _ if self.config.context_preservation:
                return tuple(part for part in self.parts if not part.waits)
        return self.parts

    def next_round(self, steps: Sequence[Step]) -> tuple[Part, ...]:
        """What is answered next; nothing once all is."""
        config, evidence = self.config, next((step.evidence for step in reversed(steps) if step.answer.found), "")
        known = evidence if config.context_preservation else ""
        match config.reasoning_strategy:
            case ReasoningStrategy.iterative:
                later = self.parts[len(steps) : len(steps) + 1]
            case ReasoningStrategy.causal:
                return self._cause(steps)
            case _:
                later = tuple(part for part in self.parts if part.waits) if config.context_preservation else ()
                later = later if len(steps) + len(later) <= len(self.parts) else ()
        return tuple(part.knowing(known) if known else part for part in later)

    def _cause(self, steps: Sequence[Step]) -> tuple[Part, ...]:
        """The cause of the last answer, as long as an answer says something new."""
        found, earlier = steps[-1].evidence, {step.evidence for step in steps[:-1]}
        if len(steps) >= self.config.max_reasoning_depth or not steps[-1].answer.found or found in earlier:
            return ()
        return (Part("What caused this?", found if self.config.context_preservation else self.question),)


def combine(
    steps: Sequence[Step],
    *,
    threshold: float = 0.0,
    form: FormatType = FormatType.standard,
    language: str | None = None,
) -> tuple[tuple[Passage, ...], Answer]:
    """The passages of all steps, each once, and the joined answer, whose marks count all that was read.

    A step whose confidence is below the threshold does not count as answered. A form that tells what has no answer does
    so in the language.
    """
    if len(steps) == 1 and form is FormatType.standard and counts(steps[0], threshold):
        return steps[0].passages, steps[0].answer
    found: dict[UUID, Passage] = {}
    for step in steps:
        for passage in step.passages:
            found.setdefault(passage.chunk_id, passage)
    passages = tuple(found.values())
    read = dict.fromkeys(one.chunk_id for step in steps for one in step.read)
    places = {chunk_id: place for place, chunk_id in enumerate(read, start=1)}
    texts: list[ToldStep] = []
    cited: dict[int, CitedPassage] = {}
    for step in steps:
        if not counts(step, threshold):
            texts.append(ToldStep(without_marks(step.question), "", wording(step.answer.outcome, language)))
            continue
        marks = {one.mark: places[one.passage.chunk_id] for one in step.answer.cited}
        text = MARK.sub(partial(_renamed, marks), step.answer.text)
        texts.append(ToldStep(without_marks(step.question), text, text))
        for one in step.answer.cited:
            cited.setdefault(marks[one.mark], replace(one, mark=marks[one.mark]))
    if not cited:
        return passages, Answer(NOT_FOUND, (), unverified=any(step.answer.unverified for step in steps))
    text = _composed(texts, form)
    kept = {int(mark) for mark in MARK.findall(text)} if form is FormatType.summary else set(cited)
    return passages, Answer(text, tuple(cited[mark] for mark in sorted(cited) if mark in kept))


def telling_unanswered(
    answer: Answer, plan: Plan, steps: Sequence[Step], *, threshold: float = 0.0, language: str | None = None
) -> Answer:
    """The answer with a line for each part of the question that has none: its reader cannot see that it is missing.

    Not for what was not asked, as it may be answered, nor for causes of answers, which are no parts of the question.
    """
    missing = [
        (part, step.answer.outcome)
        for part, step in zip(plan.in_order, steps, strict=False)
        if step.asked and not counts(step, threshold)
    ]
    if not answer.found or not missing:
        return answer
    told = (f"{_shown(part.question)} {wording(outcome, language)}" for part, outcome in missing)
    return replace(answer, text="\n".join((answer.text, *told)))


def _shown(question: str) -> str:
    """A part of a question as it begins a line of the answer, where it cites nothing; a long one is cut."""
    shown = without_marks(question)
    if len(shown) > MAX_SHOWN_CHARACTERS:
        shown = f"{_cut(shown, MAX_SHOWN_CHARACTERS)} \u2026"
    return shown[:1].upper() + shown[1:]


def _cut(text: str, most: int) -> str:
    """The words of a text's first so many characters."""
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0]


def counts(step: Step, threshold: float) -> bool:
    """Whether a step is answered with the confidence that is asked for."""
    return step.answer.found and (step.confidence or 0.0) >= threshold


def _composed(steps: Sequence[ToldStep], form: FormatType) -> str:
    """The steps' answers in one text."""
    match form:
        case FormatType.cot_reasoning:
            return "\n".join(f"{number}. {one.question}\n{one.told}" for number, one in enumerate(steps, start=1))
        case FormatType.comparative:
            return "\n".join(f"{one.question} {one.told}" for one in steps)
        case FormatType.summary:
            return "\n".join(_first_statement(one.answer) for one in steps if one.answer)
    lines = RepeatedLines()
    return "".join(lines.feed(one.answer) + lines.end_part() for one in steps if one.answer)


def _first_statement(text: str) -> str:
    """The first sentence that has a mark, with its marks."""
    mark = MARK.search(text)
    line_end = text.find("\n", mark.end() if mark else 0)
    line = text if line_end < 0 else text[:line_end]
    end = next((sentence.end for sentence in sentences(line) if mark and sentence.end >= mark.end()), len(line))
    return line[:end].strip()


def _renamed(marks: Mapping[int, int], found: re.Match[str]) -> str:
    """A step's mark, renumbered; a bracketed number that is no mark stays."""
    mark = int(found[1])
    return f"[{marks.get(mark, mark)}]"
