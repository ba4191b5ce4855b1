import time
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator

from modulo.runtime.field_errors import MAX_DEPTH, MAX_ERRORS, MAX_MESSAGE, MAX_NAME, field_errors


class Sizes(BaseModel):
    largest: int


class Static(BaseModel):
    type: Literal["static"]
    static: Sizes


class Auto(BaseModel, extra="forbid"):
    type: Literal["auto"]


class Body(BaseModel, extra="forbid"):
    name: Annotated[str, StringConstraints(min_length=2)] | Literal[""] = ""
    labels: Annotated[dict[Annotated[str, StringConstraints(max_length=2)], str], Field(max_length=2)] = {}
    ids: tuple[UUID, ...] = Field(default=(), min_length=1)
    strategy: Annotated[Static | Auto, Field(discriminator="type")] | None = None
    several: tuple[Sizes, ...] = ()
    checked: int = 0

    @field_validator("checked")
    @classmethod
    def _check(cls, given: int) -> int:
        if given:
            raise ValueError("must be 0")
        return given


def told(given: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate(given)
    found = [{**one, "loc": ("body", *one["loc"])} for one in refused.value.errors()]
    return [(one["field"], one["message"]) for one in field_errors(found, given)[0]]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "x"}, "name"),
        ({"strategy": {"type": "static"}}, "strategy.static"),
        ({"strategy": {"type": "static", "static": {}}}, "strategy.static.largest"),
        ({"strategy": {"type": "static", "static": {"largest": "x"}}}, "strategy.static.largest"),
        ({"strategy": {"type": "auto", "static": {}}}, "strategy.static"),
        ({"strategy": {"type": "other"}}, "strategy.type"),
        ({"strategy": {}}, "strategy.type"),
        ({"several": [{"largest": 1}, {"largest": None}]}, "several.1.largest"),
        ({"unknown": 1}, "unknown"),
        ([], "body"),
    ],
)
def test_a_field_is_named_as_the_client_wrote_it(given: Any, field: str) -> None:
    assert {name for name, _ in told(given)} == {field}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"labels": {"long": "x"}}, ("labels.long", "as a key, must have at most 2 characters")),
        ({"labels": []}, ("labels", "must be an object")),
        ({"labels": {"a": "", "b": "", "c": ""}}, ("labels", "must have at most 2 items")),
        ({"ids": {}}, ("ids", "must be a list")),
        ({"ids": []}, ("ids", "must not be empty")),
        ({"ids": [1]}, ("ids.0", "must be an id (UUID)")),
        ({"several": ["x"]}, ("several.0", "must be an object")),
        ({"checked": 1}, ("checked", "must be 0")),
    ],
)
def test_one_thing_that_is_wrong_is_told_once_in_words_of_json(given: Any, expected: tuple[str, str]) -> None:
    assert told(given) == [expected]


def test_a_location_outside_of_the_body_stays() -> None:
    for location, field in ((("query", "limit"), "limit"), (("attributes", "a"), "attributes.a"), (("body",), "body")):
        entry = {"type": "int_type", "loc": location, "msg": "Input should be a valid integer"}
        assert [one["field"] for one in field_errors([entry], {"limit": {}})[0]] == [field]


def test_a_message_that_is_wrong_as_a_whole_names_no_field() -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate_json("[]")
    assert [error["field"] for error in field_errors(refused.value.errors())[0]] == [""]


def test_errors_are_few_and_short() -> None:
    entry = {"type": "x", "loc": ("\ud83d" * 99,) * 99, "msg": "y" * 999}
    found, more = field_errors([entry] * 99)
    assert (len(found), more) == (MAX_ERRORS, 99 - MAX_ERRORS)
    assert found[0] == {"field": ".".join(["\ufffd" * MAX_NAME] * MAX_DEPTH), "message": "y" * MAX_MESSAGE}


def test_what_follows_from_another_error_is_not_counted() -> None:
    wrong = [{"type": "uuid_parsing", "loc": ("ids", number), "msg": "x"} for number in range(MAX_ERRORS)]
    found, more = field_errors([*wrong, {"type": "too_short", "loc": ("ids",), "msg": "x"}])
    assert ([one["field"] for one in found], more) == ([f"ids.{number}" for number in range(MAX_ERRORS)], 0)


def test_many_short_lists_take_time_in_proportion() -> None:
    entry = {"type": "too_short", "msg": "x", "ctx": {"min_length": 1}}
    started = time.process_time()
    _, more = field_errors([{**entry, "loc": ("body", "lists", number)} for number in range(50_000)])
    assert time.process_time() - started < 30  # seconds, where each compared with all the others takes ten minutes
    assert more == 50_000 - MAX_ERRORS
