"""Golden sets: questions whose relevant documents, passages and answers are known."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from modulo.cli.evaluation import EvaluationError
from modulo.cli.evaluation.answer_match import comparable
from modulo.domain.field_messages import messages_of
from modulo.domain.model import FrozenModel
from modulo.domain.search.search import Question

MAX_LINE_BYTES = 1_000_000
MAX_SHOWN_ERRORS = 10
SAMPLES = Path(__file__).with_name("samples.jsonl")
"""The golden set over the sample documents of `modulo up`."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Grade = Annotated[int, Field(strict=True, ge=1, le=100)]


def _comparable(text: str) -> str:
    if not comparable(text):
        raise ValueError("holds no letter and no digit, by which it could be found in an answer or a passage")
    return text


Excerpt = Annotated[Text, AfterValidator(_comparable)]


class GoldenQuestion(FrozenModel):
    """A question with what is known about it: relevant documents, passages or answers, or that there is no answer."""

    id: Text
    question: Question
    documents: Mapping[Text, Grade] = Field(
        default_factory=dict, description="relevant documents by name or id, with their grade of relevance"
    )
    passages: tuple[Excerpt, ...] = Field(default=(), description="excerpts; a passage that holds one is relevant")
    answers: tuple[Excerpt, ...] = Field(default=(), description="right answers, of which an answer holds at least one")
    unanswerable: StrictBool = False

    @field_validator("documents", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        """Names without grades are equally relevant."""
        return dict.fromkeys(given, 1) if isinstance(given, list) and all(isinstance(g, str) for g in given) else given

    @model_validator(mode="after")
    def _knows_something(self) -> "GoldenQuestion":
        known = bool(self.documents or self.passages or self.answers)
        if known and self.unanswerable:
            raise ValueError("an unanswerable question has no documents, passages or answers")
        if not known and not self.unanswerable:
            raise ValueError("name documents, passages or answers, or say that it is unanswerable")
        return self


class InvalidGoldenSet(EvaluationError):
    """The golden set cannot be read."""


def read_golden_set(path: Path) -> list[GoldenQuestion]:
    """The questions of a JSON Lines file; blank lines count as lines and say nothing.

    Questions without an `id` are named by their line.

    Raises:
        InvalidGoldenSet: the file cannot be read, is empty, or has lines that are wrong; each is named by its number.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidGoldenSet(f"{path} cannot be read: {error.strerror}.") from None
    questions: dict[str, GoldenQuestion] = {}
    errors: list[str] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            question = _question(line, number)
            if question.id in questions:
                raise ValueError(f"the id {question.id!r} is taken by an earlier line")
            questions[question.id] = question
        except ValueError as error:
            errors.append(f"{path}:{number}: {_told(error)}")
    if errors:
        more = len(errors) - MAX_SHOWN_ERRORS
        shown = [*errors[:MAX_SHOWN_ERRORS], *([f"and {more} more lines"] if more > 0 else [])]
        raise InvalidGoldenSet("The golden set has errors:\n" + "\n".join(shown))
    if not questions:
        raise InvalidGoldenSet(f"{path} holds no question.")
    return list(questions.values())


def _question(line: bytes, number: int) -> GoldenQuestion:
    if len(line) > MAX_LINE_BYTES:
        raise ValueError(f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        given = json.loads(line)
    except UnicodeDecodeError:
        raise ValueError("the line is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: it is nested too deeply") from None
    if not isinstance(given, dict):
        raise ValueError("a line holds one JSON object")
    return GoldenQuestion.model_validate({"id": str(number), **given})


def _told(error: ValueError) -> str:
    """What is wrong, with the field's name where it is about one."""
    if not isinstance(error, ValidationError):
        return str(error)
    return messages_of(error.errors())
