from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from modulo.domain.field_messages import message_of, messages_of
from modulo.domain.model import ONE_LINE, SHA256, VISIBLE


class Body(BaseModel, extra="forbid"):
    question: Annotated[str, Field(min_length=1, max_length=9, pattern=VISIBLE)] = "q"
    code: Annotated[str, Field(min_length=2, pattern="^[a-z]+$")] = "ab"
    name: Annotated[str, Field(min_length=1, pattern=ONE_LINE)] = "a"
    checksum: Annotated[str, Field(pattern=SHA256)] = "a" * 64
    marks: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    pair: Annotated[list[int], Field(min_length=2)] = [1, 2]
    weight: Annotated[float, Field(ge=0, lt=1)] = 0.5
    count: Annotated[int, Field(gt=0, le=9)] = 1
    kind: Literal["dense", "text"] = "text"
    whole: bool = True
    parent: UUID | None = None
    nested: dict[str, int] = {}

    @field_validator("kind", mode="after")
    @classmethod
    def _not_text(cls, value: str) -> str:
        if value == "text":
            raise ValueError("text is not kept any more")
        return value


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("question", "", "must not be empty"),
        ("question", "  ", "must not be empty"),
        ("question", "a\0", "must not hold NUL (U+0000)"),
        ("question", "a" * 10, "must have at most 9 characters"),
        ("question", 5, "must be a text"),
        ("code", "a", "must have at least 2 characters"),
        ("code", "AB", "must match ^[a-z]+$"),
        ("name", "a\nb", "must hold no control characters"),
        ("checksum", "abc", "must be 64 hexadecimal digits"),
        ("marks", [], "must not be empty"),
        ("marks", [1, 2, 3], "must have at most 2 items"),
        ("marks", "all", "must be a list"),
        ("pair", [1], "must have at least 2 items"),
        ("weight", -1, "must be at least 0.0"),
        ("weight", 1, "must be less than 1.0"),
        ("weight", "much", "must be a number"),
        ("count", 0, "must be more than 0"),
        ("count", 10, "must be at most 9"),
        ("count", "many", "must be a whole number"),
        ("count", 1.5, "must be a whole number"),
        ("kind", "magic", "must be 'dense' or 'text'"),
        ("kind", "text", "text is not kept any more"),
        ("whole", "perhaps", "must be true or false"),
        ("parent", "demo", "must be an id (UUID)"),
        ("nested", [], "must be an object"),
        ("qestion", "?", "is not known here: check its spelling, or leave it out"),
    ],
)
def test_a_wrong_field_is_told_in_plain_words(field: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate({field: value})
    [error] = caught.value.errors()
    assert message_of(error) == words


def test_a_field_that_is_missing_is_required() -> None:
    class Needed(BaseModel):
        name: str

    with pytest.raises(ValidationError) as caught:
        Needed.model_validate({})
    assert [message_of(error) for error in caught.value.errors()] == ["is required"]


def test_errors_stand_on_one_line_behind_their_fields() -> None:
    with pytest.raises(ValidationError) as caught:
        Body.model_validate({"marks": [1, "x"], "count": 0})
    assert messages_of(caught.value.errors()) == "marks.1: must be a whole number; count: must be more than 0"
    with pytest.raises(ValidationError) as caught:
        Body.model_validate_json("{")
    assert messages_of(caught.value.errors()) == "must be valid JSON"
