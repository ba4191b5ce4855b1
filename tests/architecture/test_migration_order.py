"""A deployment migrates the database before any function changes."""

import json
from typing import Any

from tests.architecture.sources import FUNCTIONS, logical_id, template, translate, translated


def needed_by(name: str, resources: dict[str, Any]) -> set[str]:
    """What CloudFormation makes before a resource, itself among it."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in found or name not in resources:
            continue
        found.add(name)
        waiting += references(resources[name])
        depends = resources[name].get("DependsOn", [])
        waiting += depends if isinstance(depends, list) else [depends]
    return found


def references(value: Any) -> list[str]:
    """The names that a part of a template refers to."""
    if isinstance(value, list):
        return [name for one in value for name in references(one)]
    if not isinstance(value, dict):
        return []
    found = [name for one in value.values() for name in references(one)]
    if isinstance(value.get("Ref"), str):
        found.append(value["Ref"])
    if "Fn::GetAtt" in value:
        got = value["Fn::GetAtt"]
        found.append(got[0] if isinstance(got, list) else got.partition(".")[0])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"] if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"][0]
        found += [part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:]]
    return found


def test_every_function_waits_for_the_migration() -> None:
    resources = translated()["Resources"]
    for name in set(FUNCTIONS) - {"migrate"}:
        assert "Migration" in needed_by(logical_id(name), resources), name


def test_the_migration_waits_for_what_it_needs_and_for_no_other_function() -> None:
    resources = translated()["Resources"]
    needed = needed_by("Migration", resources)
    functions = {name for name in needed if resources[name]["Type"] == "AWS::Lambda::Function"}
    assert functions == {"Migrate"}
    assert {"Data", "Network", "OwnerAccess", "MigrateRole"} <= needed


def test_another_core_layer_migrates_again() -> None:
    one, other = (translate({"CoreLayer": key})["Resources"]["Migration"]["Properties"]["Code"] for key in "ab")
    assert one != other


def test_the_migration_is_given_up_after_the_function_has_answered() -> None:
    migrate, migration = (template()["Resources"][name]["Properties"] for name in ("Migrate", "Migration"))
    assert migration["ServiceTimeout"] > migrate["Timeout"]
    assert json.dumps(migration["ServiceToken"]) == json.dumps({"Fn::GetAtt": ["Migrate", "Arn"]})
