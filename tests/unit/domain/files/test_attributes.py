"""Which attributes a file may have."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from modulo.domain.files.attributes import MAX_NUMBER, Attributes, dates_in

KEYS = st.text("ab\0\u202e\ud800🙂", max_size=70)
READ: TypeAdapter[Any] = TypeAdapter(Attributes)


@pytest.mark.parametrize(
    "value",
    ["", "x" * 512, "nul is not, 🙂 is", 0, -1.5, MAX_NUMBER, 1e-300, True, False, (), ("a", "b"), "2026-05"],
)
def test_a_value_stays_what_it_is(value: Any) -> None:
    found = READ.validate_python({"key": value})["key"]
    assert (found, type(found)) == (value, type(value))
    assert READ.validate_json(READ.dump_json({"key": value})) == {"key": value}


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"k": "x" * 513}, "512"),
        ({"k": "a\0b"}, "NUL"),
        ({"k": "\ud800"}, "surrogate"),
        ({"k": None}, "must be a text"),
        ({"k": {}}, "must be a text"),
        ({"k": float("inf")}, "must be a text"),
        ({"k": float("nan")}, "must be a text"),
        ({"k": 2**53 + 1}, "2^53"),
        ({"k": 1e16}, "2^53"),
        ({"k": ["a"] * 65}, "at most 64"),
        ({"k": ["a", 1]}, "texts"),
        ({"k": ["x" * 513]}, "512"),
        ({"": 1}, "1 to 64"),
        ({"x" * 65: 1}, "1 to 64"),
        ({"a\nb": 1}, "control"),
        ({"a\u202eb": 1}, "show nothing"),
        ({str(n): n for n in range(17)}, "16"),
        ({str(n): ["x" * 512] * 4 for n in range(16)}, "16384 bytes"),
        ("text", "dict"),
        ([1], "dict"),
    ],
)
def test_others_are_refused(attributes: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told.replace("^", r"\^")):
        READ.validate_python(attributes)


def test_texts_that_are_dates_are_dates_too() -> None:
    given = {
        "a": "1970",
        "b": "1970-01-01T01:00:00.000001+01:00",
        "c": "1969-12",
        "d": "soon",
        "e": ("1970",),
        "f": 1970,
    }
    assert dates_in(given) == {"a": 0, "b": 1, "c": -31 * 86_400_000_000}


@given(st.dictionaries(KEYS, st.recursive(st.none() | st.booleans() | st.floats() | KEYS, st.lists, max_leaves=5)))
def test_any_json_is_taken_or_refused(attributes: dict[str, Any]) -> None:
    try:
        found = READ.validate_python(attributes)
    except ValidationError:
        return
    assert READ.validate_json(READ.dump_json(found)) == found
