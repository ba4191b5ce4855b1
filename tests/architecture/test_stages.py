"""The stages of `samconfig.toml`: complete, apart from each other, and of parameters that exist."""

import tomllib
from typing import Any

import pytest

from tests.architecture.sources import ROOT, template
from tests.architecture.test_deployments import GIVEN, MANAGED, refusals

CONFIGURATION: dict[str, Any] = tomllib.loads((ROOT / "samconfig.toml").read_text())
STAGES = ("dev", "staging", "prod")


def deploy_options(stage: str) -> dict[str, Any]:
    """What `sam deploy --config-env` takes of the file: of one environment alone."""
    found: dict[str, Any] = CONFIGURATION[stage]["deploy"]["parameters"]
    return found


def overrides(stage: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in deploy_options(stage)["parameter_overrides"])


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_all_that_a_deployment_needs(stage: str) -> None:
    common = {**CONFIGURATION["default"]["deploy"]["parameters"]}
    common.pop("confirm_changeset")
    options = deploy_options(stage)
    assert {name: options[name] for name in common} == common
    assert options["stack_name"] == f"modulo-{stage}"
    assert len(options["stack_name"]) <= 27, "the bucket is named after it"
    assert options["tags"] == ["application=modulo", f"stage={stage}"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_sets_parameters_as_the_template_allows(stage: str) -> None:
    parameters = template()["Parameters"]
    for name, value in overrides(stage).items():
        assert value in [str(one) for one in parameters[name].get("AllowedValues", [value])], name


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_deployed_once_it_knows_its_stores(stage: str) -> None:
    chosen = overrides(stage)
    stores = MANAGED if chosen.get("Infrastructure") == "managed" else GIVEN
    assert refusals({**stores, **chosen}) == []


def test_only_development_goes_without_alarms_and_at_once() -> None:
    without = [stage for stage in STAGES if overrides(stage).get("Alarms") == "false"]
    at_once = [stage for stage in STAGES if "AllAtOnce" in overrides(stage)["Rollout"]]
    assert without == at_once == ["dev"]


def test_no_concurrency_is_reserved_unless_asked_for() -> None:
    assert template()["Parameters"]["SearchConcurrency"]["Default"] == 0
    reserved = template()["Resources"]["Search"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": ["SearchReserved", {"Ref": "SearchConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert template()["Conditions"]["SearchReserved"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SearchConcurrency"}, 0]}]
    }
