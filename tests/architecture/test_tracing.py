"""X-Ray is a parameter, off by default; without it, nothing is recorded."""

from tests.architecture.sources import FUNCTIONS, logical_id, template, translated

MODE = {"Fn::If": ["Traced", "Active", "PassThrough"]}


def test_it_is_off_by_default() -> None:
    assert template()["Parameters"]["Tracing"]["Default"] == "false"
    assert template()["Conditions"]["Traced"] == {"Fn::Equals": [{"Ref": "Tracing"}, "true"]}


def test_every_function_and_stage_follows_the_parameter() -> None:
    found = translated()["Resources"]
    assert {str(found[logical_id(name)]["Properties"]["TracingConfig"]["Mode"]) for name in FUNCTIONS} == {str(MODE)}
    stages = [one["Properties"]["TracingEnabled"] for one in found.values() if one["Type"] == "AWS::ApiGateway::Stage"]
    assert stages == [{"Fn::If": ["Traced", True, False]}] * 3
