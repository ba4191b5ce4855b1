import math
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from modulo.domain.files.attributes import AttributeValue
from modulo.domain.request_model import RequestModel

ID = "00000000-0000-0000-0000-000000000001"


class Inner(RequestModel):
    type: Literal["inner"] = "inner"
    count: int = Field(default=1, ge=1)


class Other(RequestModel):
    type: Literal["other"]
    count: int


class Request(RequestModel):
    whole: int | None = None
    number: Annotated[float, Field(ge=-1, le=1e300)] | None = None
    flag: bool = False
    off: Literal[False] | None = None
    once: Literal[1] | None = None
    word: Literal["a", "b"] | None = None
    id: UUID | None = None
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()
    either: Inner | Other | None = Field(default=None, discriminator="type")
    values: Mapping[str, AttributeValue] = {}
    itself: "Request | None" = None


@pytest.mark.parametrize(
    ("field", "given", "meant"),
    [
        ("whole", 0, 0),
        ("whole", 1.0, 1),
        ("whole", None, None),
        ("number", 0, 0.0),
        ("number", 0.5, 0.5),
        ("flag", True, True),
        ("off", False, False),
        ("off", None, None),
        ("once", 1, 1),
        ("once", 1.0, 1),
        ("word", "a", "a"),
        ("id", ID, UUID(ID)),
        ("inner", {"count": 2}, Inner(count=2)),
        ("several", [{"count": 2}], (Inner(count=2),)),
    ],
)
def test_a_value_of_its_type_is_taken(field, given, meant):
    taken = getattr(Request(**{field: given}), field)
    assert taken == meant
    assert type(taken) is type(meant)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        *(("whole", given) for given in (True, False, "1", 1.5, math.nan, math.inf, [1], {})),
        *(("number", given) for given in (True, False, "1", "nan", math.nan, math.inf, [1])),
        *(("flag", given) for given in (0, 1, 0.0, "true", "off", None)),
        *(("off", given) for given in (0, 0.0, True, "", "false")),
        *(("once", given) for given in (True, 2, "1", 1.5)),
        *(("word", given) for given in (0, True, "c")),
        *(("id", given) for given in (1, True)),
    ],
)
def test_a_value_of_another_type_is_refused_by_its_field(field, given):
    for sent, at in (({field: given}, (field,)), ({"itself": {field: given}}, ("itself", field))):
        with pytest.raises(ValidationError) as refused:
            Request.model_validate(sent)
        [error] = refused.value.errors()
        assert error["loc"] == at


@pytest.mark.parametrize("given", [True, "2", 0])
def test_models_inside_are_held_to_it(given):
    with pytest.raises(ValidationError):
        Request(inner={"count": given})
    with pytest.raises(ValidationError):
        Request(several=[{"count": given}])
    for kind in ("inner", "other"):
        with pytest.raises(ValidationError):
            Request(either={"type": kind, "count": given if given else "0"})


def test_a_choice_of_types_keeps_the_one_that_was_given():
    values = Request(values={"a": 1, "b": 1.0, "c": True, "d": "1", "e": ["1"]}).values
    assert [type(value) for value in values.values()] == [int, float, bool, str, tuple]
