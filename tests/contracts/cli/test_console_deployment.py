"""`modulo admin console deploy`, into what an emulator makes of infra/edge.yaml."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from modulo.cli import documentation_site, pages
from modulo.cli.build import ROOT
from modulo.cli.deploy import Cloud
from modulo.cli.main import app
from modulo.cli.openapi import document
from tests.servers import serving

APIS = {"Name": "edge", "Api": "abc123", "V1Api": "def456", "McpApi": "ghi789"}
ISSUER = {
    "OidcIssuer": "https://id.example.org/realms/a",
    "OidcClientId": "console",
    "OidcAudience": "modulo",
    "OidcTokenOrigin": "https://tokens.example.org",
}
TOLD = {
    "issuer": ISSUER["OidcIssuer"],
    "client_id": "console",
    "scope": "openid read write",
    "audience": "modulo",
    "token_origin": ISSUER["OidcTokenOrigin"],
}
ASSET = "assets/index-Ab12.js"
IMMUTABLE = "public, max-age=31536000, immutable"
SECONDS = 120


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with serving("ministack") as environment:
        yield Cloud(environment)


@pytest.fixture(scope="module")
def outputs(cloud: Cloud) -> dict[str, str]:
    """What the stack says, once it is made."""
    formation = cloud.client("cloudformation")
    formation.create_stack(
        StackName="edge",
        TemplateBody=(ROOT / "infra" / "edge.yaml").read_text(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in {**APIS, **ISSUER}.items()],
    )
    give_up = time.monotonic() + SECONDS
    while (stack := formation.describe_stacks(StackName="edge")["Stacks"][0])["StackStatus"] == "CREATE_IN_PROGRESS":
        assert time.monotonic() < give_up
        time.sleep(0.2)
    assert stack["StackStatus"] == "CREATE_COMPLETE", formation.describe_stack_events(StackName="edge")
    return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A console and a documentation as if they had been built."""
    console, site = tmp_path / "console", tmp_path / "site"
    (console / "assets").mkdir(parents=True)
    (console / "index.html").write_text("<title>é</title>")
    (console / "icon.svg").write_text("<svg/>")
    (console / ASSET).write_text("0")
    (console / ".digest").write_text("x")
    (site / "guides").mkdir(parents=True)
    (site / "index.html").write_text("docs")
    (site / "guides" / "start.html").write_text("start")
    monkeypatch.setattr(pages, "CONSOLE", console)
    monkeypatch.setattr(documentation_site, "FOLDER", site)
    return console


def deployed(cloud: Cloud, stack: str = "edge") -> Result:
    arguments = ["admin", "console", "--aws", stack, "deploy"]
    return CliRunner().invoke(app, arguments, env={**cloud.environment, "MODULO_AWS_STACK": None})


def test_pages_are_put_where_cloudfront_reads_them(cloud: Cloud, outputs: dict[str, str], built: Path) -> None:
    s3, front = cloud.client("s3"), cloud.client("cloudfront")
    bucket, distribution = outputs["ConsoleFiles"], outputs["Distribution"]
    done = deployed(cloud)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"10 files deployed: {outputs['Url']}\n"
    names = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    kept = {name: s3.get_object(Bucket=bucket, Key=name) for name in names}
    assert {name: (one["ContentType"], one["CacheControl"]) for name, one in kept.items()} == {
        "index.html": ("text/html; charset=utf-8", "no-cache"),
        "icon.svg": ("image/svg+xml", "no-cache"),
        ASSET: (kept[ASSET]["ContentType"], IMMUTABLE),
        "page.css": ("text/css; charset=utf-8", "no-cache"),
        "api/docs": ("text/html; charset=utf-8", "no-cache"),
        "api/docs.js": (kept[ASSET]["ContentType"], "no-cache"),
        "api/openapi.json": ("application/json", "no-cache"),
        "console.json": ("application/json", "no-cache"),
        "docs/index.html": ("text/html; charset=utf-8", "no-cache"),
        "docs/guides/start.html": ("text/html; charset=utf-8", "no-cache"),
    }
    assert "javascript" in kept[ASSET]["ContentType"]
    assert kept["index.html"]["Body"].read() == (built / "index.html").read_bytes()
    assert json.loads(kept["console.json"]["Body"].read()) == {"oidc": TOLD}
    assert kept["api/openapi.json"]["Body"].read().decode() == document()
    (first,) = front.list_invalidations(DistributionId=distribution)["InvalidationList"]["Items"]
    batch = front.get_invalidation(DistributionId=distribution, Id=first["Id"])["Invalidation"]["InvalidationBatch"]
    assert batch["Paths"]["Items"] == ["/*"]

    (built / ASSET).rename(built / "assets" / "index-Cd34.js")
    (built / "index.html").write_text("new")
    assert deployed(cloud).exit_code == 0
    assert s3.get_object(Bucket=bucket, Key="index.html")["Body"].read() == b"new"
    assert s3.get_object(Bucket=bucket, Key=ASSET)["Body"].read() == b"0", "an open page still loads it"
    assert front.list_invalidations(DistributionId=distribution)["InvalidationList"]["Quantity"] == 2


def test_what_is_not_built_is_named(cloud: Cloud, outputs: dict[str, str], built: Path) -> None:
    (documentation_site.FOLDER / "guides" / "start.html").unlink()
    (documentation_site.FOLDER / "index.html").unlink()
    without = deployed(cloud)
    assert (without.exit_code, without.stdout) == (0, f"8 files deployed: {outputs['Url']}\n")
    assert "make site" in without.stderr
    (built / "index.html").unlink()
    refused = deployed(cloud)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "make console" in refused.stderr


def test_a_stack_without_a_place_for_it_is_named(cloud: Cloud, built: Path) -> None:
    formation = cloud.client("cloudformation")
    template = '{"Resources": {"Any": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}'
    formation.create_stack(StackName="plain", TemplateBody=template)
    for stack, told in (("plain", "Edge=true"), ("missing", "missing")):
        refused = deployed(cloud, stack)
        assert refused.exit_code == 1
        assert told in refused.stderr
    unnamed = CliRunner().invoke(app, ["admin", "console", "deploy"], env={"MODULO_AWS_STACK": None})
    assert unnamed.exit_code == 1
    assert "--aws" in unnamed.stderr
