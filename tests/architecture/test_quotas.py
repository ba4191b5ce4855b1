"""What a deployment takes of an account's quotas, as the guide tells it, and of what Lambda and IAM allow."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.architecture.sources import (
    FUNCTIONS,
    ROOT,
    chosen,
    logical_id,
    properties,
    template,
    translated,
    translations,
    true_conditions,
)
from tests.architecture.test_limits import (
    CONFIGURATIONS,
    FOR_EACH,
    LONGEST_STACK_NAME,
    api_resources,
    deployed,
    rest_apis,
)

MAX_ROLE_POLICIES = 10
MAX_LAYERS = 5
MAX_FUNCTION_NAME = 64
MAX_VARIABLES_BYTES = 4_096
ROOM_FOR_LISTS = 1_000
ADDRESS = "x" * 110
"""As long as those of queues and databases are at most, where a stack has the longest name."""
PSEUDO = {
    "AWS::NoValue": "",
    "AWS::Region": "ap-southeast-1",
    "AWS::StackName": LONGEST_STACK_NAME,
    "AWS::URLSuffix": "amazonaws.com.cn",
}
TOLD = re.compile(r"^\| (?P<quota>[^|]+?) \| (?:about )?(?P<count>[\d,]+)[ ;]", re.MULTILINE)


def alarms() -> int:
    """How many alarms a deployment has, of given stores or managed ones."""
    declared = template("infra/observability.yaml")["Resources"].items()
    return sum(
        len(one[1]) * len(one[2]) if key.startswith(FOR_EACH) else one["Type"] == "AWS::CloudWatch::Alarm"
        for key, one in declared
    )


def policies(role: dict[str, Any], true: set[str]) -> list[Any]:
    """The managed policies that a role has where conditions hold."""
    nothing = {"Ref": "AWS::NoValue"}
    attached = role["Properties"].get("ManagedPolicyArns", [])
    found = [
        one["Fn::If"][1 if one["Fn::If"][0] in true else 2] if isinstance(one, dict) and "Fn::If" in one else one
        for one in attached
    ]
    return [one for one in found if one != nothing]


def most_policies() -> int:
    """Of any role in any configuration."""
    return max(
        len(policies(one, true_conditions(given)))
        for name, given in CONFIGURATIONS.items()
        for one in deployed(name)["Resources"].values()
        if one["Type"] == "AWS::IAM::Role"
    )


def longest(value: Any, parameters: Mapping[str, str], true: set[str]) -> str:
    """A variable's value for parameters, where addresses that are known later have their longest form."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::If":
        return longest(argument[1 if argument[0] in true else 2], parameters, true)
    if function == "Ref":
        return {**PSEUDO, **parameters}.get(argument, ADDRESS)
    if function == "Fn::Join":
        return parameters[argument[1]["Ref"]]
    if function == "Fn::Sub":
        text, more = argument if isinstance(argument, list) else (argument, {})
        known = {**PSEUDO, **parameters, **{name: longest(one, parameters, true) for name, one in more.items()}}
        return re.sub(r"\$\{([^}]+)\}", lambda name: known.get(name[1], ADDRESS), text)
    assert function == "Fn::GetAtt"
    return ADDRESS


def variables_bytes(name: str, given: Mapping[str, str]) -> int:
    """What the names and values of a function's variables take for parameters."""
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    variables = {**shared, **properties(name).get("Environment", {}).get("Variables", {})}
    parameters, true = chosen(given), true_conditions(given)
    return sum(len(key + longest(value, parameters, true)) for key, value in variables.items())


def most_bytes() -> int:
    """Of any function's variables in any configuration."""
    return max(variables_bytes(name, given) for name in FUNCTIONS for given in CONFIGURATIONS.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_within_the_limits_of_lambda(name: str) -> None:
    assert len(f"{LONGEST_STACK_NAME}-{name}") <= MAX_FUNCTION_NAME
    assert len(translated()["Resources"][logical_id(name)]["Properties"]["Layers"]) <= MAX_LAYERS


def test_the_variables_of_functions_leave_room_for_lists_of_models() -> None:
    """`EmbeddingModels` and `GeneratorFallbacks`, which are JSON and empty here."""
    assert most_bytes() <= MAX_VARIABLES_BYTES - ROOM_FOR_LISTS


def test_no_role_has_more_policies_than_iam_attaches() -> None:
    assert most_policies() <= MAX_ROLE_POLICIES


def test_the_guide_tells_what_a_deployment_takes_of_an_accounts_quotas() -> None:
    text = (ROOT / "docs" / "operations" / "quotas.md").read_text()
    told = {found["quota"]: int(found["count"].replace(",", "")) for found in TOLD.finditer(text)}
    assert told["IAM: managed policies on a role"] == most_policies()
    counted = {
        "CloudFormation: resources of a stack": max(len(one["Resources"]) for one in translations({}).values()),
        "CloudWatch: alarms": alarms(),
        "API Gateway: resources of a REST API": api_resources(rest_apis()["Api"]),
        "Lambda: bytes of a function's variables": most_bytes(),
        "IAM: roles": sum(
            one["Type"] == "AWS::IAM::Role" for made in translations({}).values() for one in made["Resources"].values()
        ),
    }
    for quota, count in counted.items():
        assert abs(told[quota] - count) <= count / 20, (quota, count)
