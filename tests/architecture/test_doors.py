"""A door is a nested stack that is what it would be in the root: the root hands on all that its template refers to."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.architecture.sources import DOORS, ROOT, chosen, holds, inlined, template, true_conditions
from tests.architecture.test_limits import CONFIGURATIONS

GIVEN = {door: template()["Resources"][door]["Properties"]["Parameters"] for door in DOORS}
"""What the root hands on to each."""
PSEUDO = {"AWS::StackName": "Name"}
"""Names of what has none in a template."""


def source(value: Any) -> str | None:
    """The name of what a value is, with `Arn` where it is that; none where it is computed."""
    if value.keys() == {"Ref"}:
        return PSEUDO.get(value["Ref"], value["Ref"])
    if value.keys() == {"Fn::GetAtt"}:
        name, attribute = value["Fn::GetAtt"]
        return name + attribute
    return None


def told(value: Any, parameters: Mapping[str, str], true: set[str]) -> str:
    """What a door is told in a configuration; what is known later is not empty."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::If":
        return told(argument[1 if argument[0] in true else 2], parameters, true)
    return parameters.get(argument, "known later") if function == "Ref" else "known later"


@pytest.mark.parametrize("door", DOORS)
def test_what_is_handed_on_is_declared_and_used(door: str) -> None:
    taken = template(DOORS[door])["Parameters"]
    assert GIVEN[door].keys() == taken.keys()
    text = (ROOT / DOORS[door]).read_text()
    used = {found for pair in re.findall(r"!Ref (\w+)|\$\{(\w+)\}", text) for found in pair}
    assert taken.keys() - used == set()


@pytest.mark.parametrize("door", DOORS)
def test_it_has_the_names_and_types_of_the_root(door: str) -> None:
    for name, value in GIVEN[door].items():
        assert source(value) in (None, name, f"{name}Arn"), name
        kind = template()["Parameters"].get(name, {}).get("Type", "String")
        assert template(DOORS[door])["Parameters"][name]["Type"] in (kind, "String"), name


def may_be_empty(value: Any) -> bool:
    if isinstance(value, str):
        return value == ""
    ((function, argument),) = value.items()
    if function == "Fn::If":
        return any(map(may_be_empty, argument[1:]))
    return function == "Ref" and template()["Parameters"].get(argument, {}).get("Default") == ""


@pytest.mark.parametrize("door", DOORS)
def test_what_may_be_empty_is_by_default(door: str) -> None:
    """LocalStack takes an empty value of what has no default for none."""
    taken = template(DOORS[door])["Parameters"]
    empty = {name for name, value in GIVEN[door].items() if may_be_empty(value)}
    assert {name: one["Default"] for name, one in taken.items() if "Default" in one} == dict.fromkeys(empty, "")


@pytest.mark.parametrize("door", DOORS)
def test_all_functions_and_apis_have_the_same_settings(door: str) -> None:
    assert inlined(template(DOORS[door])["Globals"], door) == template()["Globals"]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_condition_holds_where_the_roots_does(name: str, door: str) -> None:
    given, true = CONFIGURATIONS[name], true_conditions(CONFIGURATIONS[name])
    parameters = {key: told(value, chosen(given), true) for key, value in GIVEN[door].items()}
    conditions = template(DOORS[door])["Conditions"]
    assert {key for key, one in conditions.items() if holds(one, parameters, conditions)} == true & conditions.keys()
