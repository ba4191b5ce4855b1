"""What the emulator makes of a deployment that waits for a custom resource."""

import io
import json
import re
import sysconfig
import time
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from modulo.cli.build import ROOT
from modulo.cli.deploy import Cloud
from tests.architecture.sources import template
from tests.architecture.test_deployments import BEDROCK, GIVEN, MANAGED, PRIVATE, refusals
from tests.servers import serving

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
ROLE = "arn:aws:iam::000000000000:role/any"
PATHS = [str(ROOT / "layers" / "core" / "python"), sysconfig.get_path("purelib")]
HANDLER = f"""
import sys
sys.path[:0] = {PATHS!r}
from modulo.runtime.custom_resource import custom_resource_handler

def work(seconds):
    assert seconds, "the emulator tells how long the function may take"
    {{work}}

handler = custom_resource_handler(work)
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with serving("ministack") as environment:
        made = Cloud(environment)
        made.client("s3").create_bucket(Bucket="code")
        yield made


def archive(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("app.py", source)
    return content.getvalue()


def function(key: str, **variables: Any) -> dict[str, Any]:
    properties = {
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": ROLE,
        "Timeout": 60,
        "Code": {"S3Bucket": "code", "S3Key": key},
        "Environment": {"Variables": variables},
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def deployed(cloud: Cloud, name: str, work: str) -> tuple[str, dict[str, Any]]:
    """How the creation of a stack ended whose function waits for that work, and what the stack then is."""
    cloud.client("s3").put_object(Bucket="code", Key=name, Body=archive(HANDLER.format(work=work)))
    template = {
        "Resources": {
            "Search": function(name, DATABASE_REVISION={"Fn::GetAtt": ["Migration", "Revision"]}),
            "Migrate": function(name),
            "Migration": {
                "Type": "Custom::Migration",
                "Properties": {"ServiceToken": {"Fn::GetAtt": ["Migrate", "Arn"]}, "ServiceTimeout": 30},
            },
        },
        "Outputs": {"Search": {"Value": {"Ref": "Search"}}},
    }
    return made(cloud, name, template)


def made(cloud: Cloud, name: str, source: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """How the creation of a stack ended, and what it then is."""
    formation = cloud.client("cloudformation")
    formation.create_stack(StackName=name, TemplateBody=json.dumps(source), Capabilities=CAPABILITIES)
    return ended(cloud, name)


def ended(cloud: Cloud, name: str) -> tuple[str, dict[str, Any]]:
    """How what is done to a stack ended, and what it then is."""
    formation = cloud.client("cloudformation")
    give_up = time.monotonic() + 90
    while True:
        stack = formation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            return stack["StackStatus"], stack
        assert time.monotonic() < give_up
        time.sleep(0.2)


def test_a_function_is_made_after_the_migration_and_told_its_revision(cloud: Cloud) -> None:
    status, stack = deployed(cloud, "works", 'return {"Revision": "0020"}')
    assert status == "CREATE_COMPLETE"
    name = stack["Outputs"][0]["OutputValue"]
    found = cloud.client("lambda").get_function_configuration(FunctionName=name)
    assert found["Environment"]["Variables"]["DATABASE_REVISION"] == "0020"


def test_a_migration_that_fails_ends_the_deployment_before_any_function(cloud: Cloud) -> None:
    status, _ = deployed(cloud, "fails", 'raise RuntimeError("the table is gone")')
    assert status in ("ROLLBACK_COMPLETE", "CREATE_FAILED")
    events = cloud.client("cloudformation").describe_stack_events(StackName="fails")["StackEvents"]
    failed = [one for one in events if one["ResourceStatus"] == "CREATE_FAILED"]
    assert any("the table is gone" in one.get("ResourceStatusReason", "") for one in failed), failed
    made = {one["LogicalResourceId"] for one in events if one["ResourceStatus"] == "CREATE_COMPLETE"}
    assert "Search" not in made


def test_a_nested_stack_is_transformed_tells_its_outputs_and_is_updated(cloud: Cloud) -> None:
    nested: dict[str, Any] = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Globals": {"Api": {"OpenApiVersion": "3.0.1"}},  # keeps SAM from adding a second stage
        "Parameters": {"Title": {"Type": "String"}},
        "Resources": {
            "Api": {
                "Type": "AWS::Serverless::Api",
                "Properties": {
                    "StageName": "v1",
                    "DefinitionBody": {"openapi": "3.0.1", "info": {"title": {"Ref": "Title"}}, "paths": {}},
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
        "Outputs": {"Api": {"Value": {"Ref": "Api"}}, "Queue": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
    }
    cloud.client("s3").put_object(Bucket="code", Key="nested.json", Body=json.dumps(nested).encode())

    def root(title: str) -> dict[str, Any]:
        told = {"TemplateURL": f"{cloud.endpoint}/code/nested.json", "Parameters": {"Title": title}}
        return {
            "Resources": {"Door": {"Type": "AWS::CloudFormation::Stack", "Properties": told}},
            "Outputs": {name: {"Value": {"Fn::GetAtt": ["Door", f"Outputs.{name}"]}} for name in nested["Outputs"]},
        }

    status, stack = made(cloud, "root", root("one"))
    assert status == "CREATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    (stage,) = cloud.client("apigateway").get_stages(restApiId=outputs["Api"])["item"]
    assert stage["stageName"] == "v1"
    cloud.client("cloudformation").update_stack(
        StackName="root", TemplateBody=json.dumps(root("two")), Capabilities=CAPABILITIES
    )
    status, stack = ended(cloud, "root")
    assert status == "UPDATE_COMPLETE"
    assert {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}["Queue"] == outputs["Queue"]


def test_rules_refuse_what_they_refuse_here(cloud: Cloud) -> None:
    """Those of the template, which tests of the architecture evaluate by themselves."""
    whole = template()
    told = {name: whole[name] for name in ("Parameters", "Rules", "Mappings")}
    source = json.dumps({**told, "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    formation = cloud.client("cloudformation")
    cloud.client("s3").put_object(Bucket="code", Key="rules.json", Body=source.encode())

    def make(name: str, given: Mapping[str, str]) -> None:
        formation.create_stack(
            StackName=name,
            TemplateURL=f"{cloud.endpoint}/code/rules.json",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )

    for number, accepted in enumerate((GIVEN, MANAGED, PRIVATE, {**MANAGED, **BEDROCK})):
        assert refusals(accepted) == []
        make(f"accepted-{number}", accepted)
    unnamed = {name: value for name, value in BEDROCK.items() if name != "BedrockModelArns"}
    for refused in ({**MANAGED, **unnamed}, {**PRIVATE, "MilvusEndpointService": ""}, {**GIVEN, "ZoneA": "a"}):
        (refusal,) = refusals(refused)
        with pytest.raises(ClientError, match=re.escape(refusal.strip())):
            make("refused", refused)
