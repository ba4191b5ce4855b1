"""A function behind an alias gets a new version whenever its code changes, that of its layers too."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from modulo.cli.build import archive_folder
from modulo.cli.deploy import deployable
from tests.architecture.sources import (
    DOORS,
    FUNCTIONS,
    ROOT,
    ROOT_TEMPLATE,
    api_routes,
    declared,
    deployed_name,
    logical_id,
    parsed,
    properties,
    template,
    translate,
)

CORE = "layers/core/python/modulo"
CERTIFICATES = "infra/kubernetes/base/rds.pem"
ALIASED = [name for name in FUNCTIONS if "AutoPublishAlias" in properties(name)]
BUILT = ["search", "v1_create_response"]
"""Those that are built here: all have the same Makefile."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what functions and layers are built from."""
    for folder in ("functions", "layers", "infra/migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / CERTIFICATES).parent.mkdir(parents=True)
    shutil.copy(ROOT / CERTIFICATES, tmp_path / CERTIFICATES)
    return tmp_path


def packaged(checkout: Path, name: str, **variables: str) -> bytes:
    """The archive of a function, as `sam build` and `sam package` make it."""
    artifacts = checkout / "artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir()
    command = ["make", f"build-{logical_id(name)}", *(f"{key}={value}" for key, value in variables.items())]
    done = subprocess.run(
        [*command, f"ARTIFACTS_DIR={artifacts}"],
        cwd=checkout / "functions" / name,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (artifacts / "app.py").read_bytes() == (checkout / "functions" / name / "app.py").read_bytes()
    target = checkout / "function.zip"
    archive_folder(artifacts, target)
    return target.read_bytes()


def versions(contents: Mapping[str, str]) -> set[str]:
    """The logical ids of the versions that a deployment publishes."""
    resources = translate(contents)["Resources"]
    return {name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"}


def change(checkout: Path, path: str) -> None:
    with (checkout / path).open("a") as file:
        file.write("\n")


def test_a_function_behind_an_alias_carries_the_digest_of_its_layers() -> None:
    assert {"search", "stream_search", "mcp_exchange", "v1_create_response"} <= set(ALIASED)
    for name in ALIASED:
        assert declared()[logical_id(name)]["Metadata"] == {"BuildMethod": "makefile"}
        assert (ROOT / "functions" / name / "Makefile").read_text() == "include ../versioned.mk\n"


CONFIGURED = (
    *("Environment", "VpcConfig", "KmsKeyArn", "Runtime", "Architectures", "Tracing", "SnapStart", "MemorySize"),
    *("Timeout", "LoggingConfig"),
)
"""Properties that a version keeps; its code and layers are in its digest."""
NESTED = ("Data", "Network")


def test_a_changed_parameter_publishes_versions() -> None:
    """By the versions' description, which CloudFormation replaces a version for.

    Lambda publishes none where the function is what it was: CloudFormation then fails with "A version for this Lambda
    function exists". So the function changes with the description, whether or not the parameter is one of its own.
    """
    resources = translate({})["Resources"]
    found = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Version"]
    digest = {"Fn::GetAtt": ["Migration", "Configuration"]}
    assert [one["Description"]["Fn::If"][:2] for one in found] == [["MigratesOnDeploy", digest]] * len(ALIASED)
    for one in found:
        variables = resources[one["FunctionName"]["Ref"]]["Properties"]["Environment"]["Variables"]
        assert variables["CONFIGURATION"]["Fn::If"][:2] == ["MigratesOnDeploy", digest]


def test_whatever_functions_are_configured_with_is_in_the_digest() -> None:
    kept = [properties(name).get(each) for name in (*ALIASED, "get_me") for each in CONFIGURED]
    kept.append([declared()[logical_id(name)]["Properties"].get("Environment") for name in ALIASED])
    told = template()["Resources"]["Migration"]["Properties"]
    parameters, outputs = sources_of(kept)
    assert {"LogLevel", "MilvusUri", "Generator", "Tracing", "DatabaseUrl", "MilvusToken"} <= parameters
    assert parameters - {"MigrateOnDeploy"} <= {one["Ref"] for one in (*told["Parameters"], *told["Secrets"])}
    assert {"Data.Outputs.WriterEndpoint", "Network.Outputs.PrivateSubnets"} <= outputs
    condition, places, _ = told["Managed"]["Fn::If"]
    assert (condition, outputs) == ("Managed", {".".join(one["Fn::GetAtt"]) for one in places})


def sources_of(value: Any) -> tuple[set[str], set[str]]:
    """The parameters that a part of the template depends on, by conditions too, and the outputs of nested stacks."""
    text = json.dumps(value)
    names = set(re.findall(r'"Ref": "(\w+)"|\$\{(\w+)\}', text))
    parameters = {name for pair in names for name in pair} & template()["Parameters"].keys()
    waiting = set(re.findall(r'"Fn::If": \["(\w+)"', text))
    seen: set[str] = set()
    while waiting:
        condition = waiting.pop()
        seen.add(condition)
        inside = json.dumps(template()["Conditions"][condition])
        parameters |= set(re.findall(r'"Ref": "(\w+)"', inside))
        waiting |= set(re.findall(r'"Condition": "(\w+)"', inside)) - seen
    outputs = {f"{stack}.{name}" for stack in NESTED for name in re.findall(rf"{stack}\.(Outputs\.\w+)", text)}
    outputs |= {f"{stack}.{name}" for stack in NESTED for name in re.findall(rf'\["{stack}", "(Outputs\.\w+)"\]', text)}
    return parameters, outputs


def test_updates_are_rolled_out_under_the_eyes_of_alarms() -> None:
    resources = translate({})["Resources"]
    groups = {
        name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::CodeDeploy::DeploymentGroup"
    }
    assert groups.keys() == {f"{logical_id(name)}DeploymentGroup" for name in ALIASED}
    made = {re.sub("&.*", "", name) for name in logical_ids_of_alarms()}
    for name in ALIASED:
        group = groups[f"{logical_id(name)}DeploymentGroup"]
        condition, watched, _ = group["AlarmConfiguration"]["Fn::If"]
        alarms = [one["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}-") for one in watched["Alarms"]]
        door = {"v1": "V1ApiErrors", "mcp": "McpApiErrors"}.get(name.partition("_")[0], "ApiErrors")
        assert (condition, alarms) == ("Alarmed", [f"Errors-{deployed_name(name)}", door])
        assert {"Errors", door} <= made
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        alias = resources[f"{logical_id(name)}Aliaslive"]
        assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {
            "Ref": f"{logical_id(name)}DeploymentGroup"
        }


SHORTEST_CANARY = 300
"""Seconds, of those that `Rollout` offers."""


def rollouts(*, alarmed: bool, stack: str = "modulo-prod") -> dict[str, dict[str, Any]]:
    """The deployment groups as CodeDeploy would be told of them, in a stack with alarms or without."""
    found = {
        name: one["Properties"]
        for name, one in translate({})["Resources"].items()
        if one["Type"] == "AWS::CodeDeploy::DeploymentGroup"
    }
    decided: dict[str, dict[str, Any]] = json.loads(
        json.dumps({name: decide(one, alarmed) for name, one in found.items()}).replace("${AWS::StackName}", stack)
    )
    return decided


def decide(value: Any, alarmed: bool) -> Any:
    if isinstance(value, list):
        return [decide(one, alarmed) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, one, other = value["Fn::If"]
        assert condition == "Alarmed"
        return decide(one if alarmed else other, alarmed)
    if value.keys() == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        return value["Fn::Sub"]
    return {name: decide(one, alarmed) for name, one in value.items()}


def test_a_rollout_is_stopped_in_time_by_alarms_that_exist() -> None:
    """CodeDeploy takes ten at most, and looks them up by their names."""
    alarms = {}
    for logical, resource in template("infra/observability.yaml")["Resources"].items():
        made, functions = ({logical: resource}, [""]) if isinstance(resource, dict) else (resource[2], resource[1])
        for one in made.values():
            if one["Type"] == "AWS::CloudWatch::Alarm":
                for function in functions:
                    name = one["Properties"]["AlarmName"]["Fn::Sub"]
                    full = name.replace("${Prefix}", "modulo-prod").replace("${Function}", function)
                    alarms[full] = one["Properties"]
    assert len(alarms) > 300
    for group in rollouts(alarmed=True).values():
        watched = group["AlarmConfiguration"]
        names = [one["Name"] for one in watched["Alarms"]]
        assert (watched["Enabled"], 0 < len(names) <= 10) == (True, True)
        assert alarms.keys() >= set(names)
        assert {"DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_FAILURE"} <= set(group["AutoRollbackConfiguration"]["Events"])
        for alarm in map(alarms.__getitem__, names):
            points = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
            assert (points + 1) * alarm["Period"] < SHORTEST_CANARY, "before the other 90 % of requests follow"


def test_a_rollout_without_alarms_watches_none() -> None:
    """An enabled list of none, or one with a name that is none, would be refused."""
    for group in rollouts(alarmed=False).values():
        assert group["AlarmConfiguration"] == {}


def test_codedeploy_may_read_alarms_and_move_aliases() -> None:
    resources = translate({})["Resources"]
    role = resources["CodeDeployServiceRole"]["Properties"]
    (entry,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert entry["Principal"] == {"Service": ["codedeploy.amazonaws.com"]}
    assert role["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"]
    offered = template()["Parameters"]["Rollout"]["AllowedValues"]
    minutes = [int(re.findall(r"(\d+)Minute", one)[0]) for one in offered if "Canary" in one]
    assert min(minutes) * 60 == SHORTEST_CANARY


def test_every_function_behind_an_api_is_rolled_out_and_the_guide_tells_which_are_not() -> None:
    assert [name for name in FUNCTIONS if api_routes(name)] == ALIASED
    told = " ".join((ROOT / "docs/operations/deploy.md").read_text().split())
    assert f"{len(ALIASED)} of {len(FUNCTIONS)} functions" in told
    assert f"The other {len(FUNCTIONS) - len(ALIASED)} have no canary" in told
    for name in set(FUNCTIONS) - set(ALIASED):
        assert f"`{name}`" in told, name


def test_requests_go_to_the_versions_that_are_rolled_out() -> None:
    bodies = json.dumps(
        [
            one["Properties"]["Body"]
            for one in translate({})["Resources"].values()
            if one["Type"] == "AWS::ApiGateway::RestApi"
        ]
    )
    for name in ALIASED:
        assert f"${{{logical_id(name)}Aliaslive}}" in bodies, name
        assert f"${{{logical_id(name)}.Arn}}" not in bodies, name


def logical_ids_of_alarms() -> Iterator[str]:
    for name, resource in template("infra/observability.yaml")["Resources"].items():
        yield from resource[2] if name.startswith("Fn::ForEach") else [name]


def test_local_clouds_get_a_template_without_rollouts() -> None:
    changed = set()
    for path in (ROOT_TEMPLATE, *DOORS.values()):
        text = deployable((ROOT / path).read_text())
        assert "DeploymentPreference" not in text
        left = parsed(text)["Resources"]
        whole = template(path)["Resources"]
        assert left.keys() == whole.keys()
        changed |= {name for name in whole if left[name] != whole[name]}
        assert ".Arn}:live" in text
        assert not re.search(r"\$\{\w+Aliaslive\}", text)
    callers = {"Api", "V1Api", "McpApi", "SocketsIntegration"}
    assert changed == {logical_id(name) for name in ALIASED} | callers


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize(
    "path",
    [
        f"{CORE}/usecases/search/pipeline.py",
        "layers/vectors/requirements.txt",
        "layers/dependencies/requirements.txt",
        "layers/Makefile",
        "infra/migrations/env.py",
    ],
)
def test_a_changed_layer_changes_the_function(checkout: Path, name: str, path: str) -> None:
    before = packaged(checkout, name)
    assert packaged(checkout, name) == before
    change(checkout, path)
    assert packaged(checkout, name) != before


@pytest.mark.parametrize("name", BUILT)
def test_another_python_or_processor_changes_the_function(checkout: Path, name: str) -> None:
    archives = [
        packaged(checkout, name, **variables)
        for variables in ({}, {"PYTHON_VERSION": "3.13"}, {"ARCHITECTURE": "x86_64"})
    ]
    assert len(set(archives)) == 3


@pytest.mark.parametrize("name", BUILT)
def test_what_no_layer_ships_changes_nothing(checkout: Path, name: str) -> None:
    before = packaged(checkout, name)
    change(checkout, f"{CORE}/cli/main.py")
    assert packaged(checkout, name) == before


def test_a_changed_function_publishes_a_version_and_a_changed_layer_alone_would_not() -> None:
    before = versions({"Search": "one", "CoreLayer": "one"})
    assert len(before) == len(ALIASED)
    assert versions({"Search": "one", "CoreLayer": "two"}) == before, "SAM hashes layers now: the Makefile may go"
    assert len(before - versions({"Search": "two", "CoreLayer": "two"})) == 1
