"""A function behind an alias gets a new version whenever its code changes, that of its layers too."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from modulo.cli.build import archive_folder
from modulo.cli.deploy import deployable
from tests.architecture.sources import FUNCTIONS, ROOT, logical_id, parsed, properties, template, translate

CORE = "layers/core/python/modulo"
CERTIFICATES = "infra/kubernetes/base/rds.pem"
ALIASED = [name for name in FUNCTIONS if "AutoPublishAlias" in properties(name)]
STREAMED = [name for name in FUNCTIONS if "RESPONSE_STREAM" in str(properties(name).get("Events"))]
OF_SEARCH = ("SearchAliaslive", "SearchDeploymentGroup")
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
        assert template()["Resources"][logical_id(name)]["Metadata"] == {"BuildMethod": "makefile"}
        assert (ROOT / "functions" / name / "Makefile").read_text() == "include ../versioned.mk\n"


def test_a_changed_parameter_publishes_versions() -> None:
    """By the versions' description, which CloudFormation replaces a version for."""
    resources = translate({})["Resources"]
    found = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Version"]
    digest = {"Fn::GetAtt": ["Migration", "Configuration"]}
    assert [one["Description"]["Fn::If"][:2] for one in found] == [["MigratesOnDeploy", digest]] * len(ALIASED)
    told = {one["Ref"] for one in template()["Resources"]["Migration"]["Properties"]["Parameters"]}
    parameters = template()["Parameters"]
    assert not [name for name in told if parameters[name].get("NoEcho")]
    variables = json.dumps([properties(name).get("Environment") for name in ALIASED] + [properties("get_me")])
    used = {name for name in parameters if f'{{"Ref": "{name}"}}' in variables}
    assert used - told <= {name for name, one in parameters.items() if one.get("NoEcho")}
    assert {"LogLevel", "MilvusUri", "Generator"} <= used


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
        assert (condition, alarms) == ("Alarmed", [f"Errors-{name}", door])
        assert {"Errors", door} <= made
        assert group["AutoRollbackConfiguration"]["Enabled"] is True
        alias = resources[f"{logical_id(name)}Aliaslive"]
        assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {
            "Ref": f"{logical_id(name)}DeploymentGroup"
        }


def test_the_guide_tells_which_functions_have_no_canary_and_why() -> None:
    others, each = len(FUNCTIONS) - len(ALIASED), 3
    resources = translate({})["Resources"]
    assert len([name for name in resources if name.startswith("SearchVersion") or name in OF_SEARCH]) == each
    told = " ".join((ROOT / "docs/operations/deploy.md").read_text().split())
    assert f"{len(ALIASED)} of {len(FUNCTIONS)} functions" in told
    assert f"The other {others} functions have no canary" in told
    assert "would make over 700 where CloudFormation allows 500" in told
    assert len(resources) + others * each > 700


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
    text = deployable((ROOT / "template.yaml").read_text())
    assert "DeploymentPreference" not in text
    left = parsed(text)["Resources"]
    whole = template()["Resources"]
    assert left.keys() == whole.keys()
    assert {name for name in whole if left[name] != whole[name]} == {logical_id(name) for name in (*ALIASED, *STREAMED)}


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
