"""What operators do, rehearsed on an emulator: two stacks side by side in one account, then an update of one of them.

The emulator runs the functions, migrates, and publishes versions. It has no CodeDeploy, and makes no managed stores.
"""

import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from modulo.cli.build import ROOT, Build, build
from modulo.cli.deploy import ARTIFACTS, Deployment, deploy, resources_of, upload
from modulo.cli.stack import Stack
from modulo.runtime.admin.keys import create_key
from modulo.services import Services, install
from modulo.settings import Settings
from tests.architecture.sources import FUNCTIONS, deployed_name, logical_id, properties, template, translated
from tests.e2e.deployed import until

SERVERS = ("postgres", "pgbouncer", "valkey", "ministack")
NOT_ASKED = {"MilvusUri": "http://127.0.0.1:9", "EmbeddingUrl": "http://127.0.0.1:9/v1"}
"""Servers that no request here needs; without an address no stack would be made."""
TOPIC = "arn:aws:sns:us-east-1:000000000000:operators"
ALIASED = [name for name in FUNCTIONS if "AutoPublishAlias" in properties(name)]
REHEARSED = "9999"
MIGRATION = '''
"""Add a table that no code knows."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    op.create_table("rehearsed", sa.Column("id", sa.Integer, primary_key=True))
'''


@dataclass(frozen=True)
class Seen:
    """What a stack is at a moment."""

    versions: Mapping[str, str]
    """Behind each function's alias."""
    layers: Mapping[str, str]
    """The version of the core layer of each function."""
    revisions: frozenset[str]
    """Of the database, as functions were told it."""


@dataclass(frozen=True)
class Rehearsal:
    one: Deployment
    two: Deployment
    before: Mapping[str, Seen]
    """By stack, before `two` was updated."""


@pytest.fixture(scope="module")
def rehearsal(pgbouncer_program: Path) -> Iterator[Rehearsal]:
    data = Path(tempfile.mkdtemp(prefix="modulo-rehearsal-"))
    try:
        built, _ = build(ROOT / ".modulo" / "builds")
        with Stack(data, SERVERS, durable=False) as servers:
            one = deploy(built, servers.environment, name="modulo-one", more=NOT_ASKED)
            two = deploy(built, servers.environment, name="modulo-two", more=NOT_ASKED)
            ours = Services(Settings(database_url=servers.environment["DATABASE_URL"]))
            install(ours)
            before = {made.name: seen(made) for made in (one, two)}
            updated = update(two, changed(built, data / "changed"))
            yield Rehearsal(one, updated, before)
            ours.close()
    finally:
        install(None)
        shutil.rmtree(data, ignore_errors=True)


def changed(built: Build, target: Path) -> Build:
    """The build of the next release: another core layer, with a migration more."""
    shutil.copytree(built.directory, target)
    head = max(path.name.partition("_")[0] for path in (ROOT / "infra/migrations/versions").glob("*.py"))
    with zipfile.ZipFile(target / "CoreLayer.zip", "a") as layer:
        layer.writestr(
            f"infra/migrations/versions/{REHEARSED}_rehearsed.py", MIGRATION.format(revision=REHEARSED, before=head)
        )
    for name in ALIASED:  # as functions/versioned.mk builds them
        archive = target / f"{logical_id(name)}.zip"
        with zipfile.ZipFile(archive) as old:
            files = {info.filename: old.read(info) for info in old.infolist()}
        assert len(files.pop("layers.sha256").split()[0]) == 64
        with zipfile.ZipFile(archive, "w") as new:
            for path, content in {**files, "layers.sha256": b"of the next release"}.items():
                new.writestr(path, content)
    return Build(target)


def update(made: Deployment, built: Build) -> Deployment:
    """Deploy to a stack that exists, with the parameters that it has."""
    formation = made.cloud.client("cloudformation")
    given = formation.describe_stacks(StackName=made.name)["Stacks"][0]["Parameters"]
    formation.update_stack(
        StackName=made.name,
        TemplateURL=upload(made.cloud, built),
        Parameters=[{"ParameterKey": one["ParameterKey"], "UsePreviousValue": True} for one in given],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    status = until(lambda: ended(formation, made.name), what=f"{made.name} is updated", patience=300)
    events = formation.describe_stack_events(StackName=made.name)["StackEvents"]
    assert status == "UPDATE_COMPLETE", [
        (one["LogicalResourceId"], one.get("ResourceStatusReason"))
        for one in events
        if "FAILED" in one["ResourceStatus"]
    ]
    return replace(made, resources=resources_of(formation, made.name))


def ended(formation: Any, name: str) -> str | None:
    status: str = formation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    time.sleep(0.2)
    return None if status.endswith("IN_PROGRESS") else status


def deployed_to(made: Deployment, name: str) -> str:
    return f"{made.name}-{deployed_name(name)}"


def seen(made: Deployment) -> Seen:
    functions = made.cloud.client("lambda")
    found = {name: functions.get_function_configuration(FunctionName=deployed_to(made, name)) for name in FUNCTIONS}
    variables = [found[name]["Environment"]["Variables"] for name in FUNCTIONS if name != "migrate"]
    return Seen(
        versions={
            name: functions.get_alias(FunctionName=deployed_to(made, name), Name="live")["FunctionVersion"]
            for name in ALIASED
        },
        layers={name: one["Layers"][0]["Arn"] for name, one in found.items()},
        revisions=frozenset(each["DATABASE_REVISION"] for each in variables),
    )


def test_two_stacks_share_nothing(rehearsal: Rehearsal) -> None:
    one, two = rehearsal.one, rehearsal.two
    shared = set(one.resources.values()) & set(two.resources.values())
    of_their_own = {"Custom::Migration", "AWS::ApiGateway::Stage", "AWS::ApiGatewayV2::Stage"}  # ids within another
    assert {kind for kind, _ in shared} == of_their_own
    assert len(one.resources) > 300
    assert set(one.outputs.values()).isdisjoint(two.outputs.values())
    for made in (one, two):
        assert {deployed_to(made, name) for name in FUNCTIONS} == set(made.functions.values())


def test_a_stack_has_the_resources_and_outputs_of_the_template(rehearsal: Rehearsal) -> None:
    made = {name: kind for name, (kind, _) in rehearsal.two.resources.items()}
    hashed = ("AWS::Lambda::Version", "AWS::Lambda::LayerVersion", "AWS::ApiGateway::Deployment")
    expected = {
        name: one["Type"]
        for name, one in translated()["Resources"].items()
        if not one["Type"].startswith((*hashed, "AWS::CodeDeploy::")) and "Condition" not in one
    }
    del expected["CodeDeployServiceRole"]
    assert expected.items() <= made.items()
    assert made.keys() - versioned(rehearsal.two) == rehearsal.one.resources.keys() - versioned(rehearsal.one)
    outputs = template()["Outputs"]
    assert {name for name, one in outputs.items() if "Condition" not in one} <= rehearsal.two.outputs.keys()


def versioned(made: Deployment) -> set[str]:
    kinds = ("AWS::Lambda::Version", "AWS::Lambda::LayerVersion", "AWS::ApiGateway::Deployment")
    return {name for name, (kind, _) in made.resources.items() if kind in kinds}


def test_no_role_of_a_stack_reaches_the_other(rehearsal: Rehearsal) -> None:
    iam = rehearsal.one.cloud.client("iam")
    roles = [physical for kind, physical in rehearsal.one.resources.values() if kind == "AWS::IAM::Role"]
    assert len(roles) > 50
    for role in roles:
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
            assert "modulo-two" not in document, role


def test_an_update_publishes_versions_and_migrates(rehearsal: Rehearsal) -> None:
    before, after = rehearsal.before["modulo-two"], seen(rehearsal.two)
    assert {name for name in ALIASED if after.versions[name] == before.versions[name]} == set()
    assert {name for name in FUNCTIONS if after.layers[name] == before.layers[name]} == set()
    assert after.revisions == {REHEARSED} != before.revisions


def test_the_other_stack_stays_as_it_was_and_serves_on_the_new_schema(rehearsal: Rehearsal) -> None:
    assert seen(rehearsal.one) == rehearsal.before["modulo-one"]
    for made in (rehearsal.one, rehearsal.two):
        with httpx.Client(base_url=made.url, timeout=60, trust_env=False) as http:
            key = create_key(f"tenant-{made.name}", "ada", "rehearsal")
            headers = {"authorization": f"Bearer {key}"}
            made_one = http.post("/collections", json={"name": "rehearsed"}, headers=headers)
            assert made_one.status_code == 201, made_one.text
            found = http.get("/collections", headers=headers)
            assert [item["name"] for item in found.json()["items"]] == ["rehearsed"]


def properties_of(resource: Any) -> dict[str, Any]:
    found: dict[str, Any] = resource["Properties"] if isinstance(resource, dict) else {}
    return found


def test_the_nested_template_makes_every_alarm_for_the_topic(rehearsal: Rehearsal) -> None:
    """As a stack of its own, without alarms that compute: the emulator unrolls no Fn::ForEach in a nested one."""
    two, formation = rehearsal.two, rehearsal.two.cloud.client("cloudformation")
    whole = template("infra/observability.yaml")
    kept = {name: one for name, one in whole["Resources"].items() if "Metrics" not in properties_of(one)}
    body = json.dumps({**whole, "Resources": kept}).encode()
    two.cloud.client("s3").put_object(Bucket=ARTIFACTS, Key="alarms.json", Body=body)
    queues = ("IngestQueue", "FetchQueue", "PurgeQueue", "DeadLetters", "PushQueue")
    parameters = {
        **{name: two.resources[name][1].rpartition("/")[2] for name in queues},
        "Prefix": two.name,
        "Api": two.name,
        "V1Api": f"{two.name}-v1",
        "McpApi": f"{two.name}-mcp",
        "Schedules": two.name,
        "AlarmTopic": TOPIC,
    }
    formation.create_stack(
        StackName="alarms",
        TemplateURL=f"{two.cloud.endpoint}/{ARTIFACTS}/alarms.json",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    status = until(lambda: ended(formation, "alarms"), what="alarms are made", patience=300)
    assert status == "CREATE_COMPLETE"
    pages = rehearsal.two.cloud.client("cloudwatch").get_paginator("describe_alarms").paginate()
    made = [alarm for page in pages for alarm in page["MetricAlarms"]]
    expected = set()
    for name, resource in kept.items():
        each, functions = ({name: resource}, [""]) if isinstance(resource, dict) else (resource[2], resource[1])
        for logical, one in each.items():
            if one["Type"] == "AWS::CloudWatch::Alarm" and one.get("Condition") != "Managed":
                stem = f"modulo-two-{logical.removesuffix('&{Function}')}"
                expected |= {f"{stem}-{function}" if function else stem for function in functions}
    assert {alarm["AlarmName"] for alarm in made} == expected
    assert {tuple(alarm["AlarmActions"]) for alarm in made} == {(TOPIC,)}
