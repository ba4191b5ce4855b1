"""One address on AWS: what CloudFront and a custom domain answer is what a server would."""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.routing import Route

from modulo.cli import documentation_site
from modulo.cli.serve import composed
from modulo.runtime.answer_stream import HEARTBEAT_SECONDS
from modulo.runtime.http import REQUEST_ID, TRACE_RESPONSE
from modulo.runtime.mcp_door.http import DOOR, FORWARDED_HOST, METADATA, mcp_router
from modulo.services import Services, install
from modulo.settings import Settings
from tests.architecture.sources import DOORS as DOOR_TEMPLATES
from tests.architecture.sources import ROOT, described_routes, resources, template, translated
from tests.architecture.test_resources import API_SECONDS

ADDRESS = "https://rag.example.org"
EDGE = template("infra/edge.yaml")
MADE: dict[str, dict[str, Any]] = EDGE["Resources"]
CONFIG: dict[str, Any] = MADE["Distribution"]["Properties"]["DistributionConfig"]
ORIGINS = {one["Id"]: one for one in CONFIG["Origins"]}
FILES = "files"
DOORS = {"api": "Api", "v1": "V1Api", "mcp": "McpApi", "mcp-descriptions": "McpApi"}
"""The REST API of each origin that is not the bucket."""
ALL_METHODS = {"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"}
NO_CACHE = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
KEPT_ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}
"""Statuses that CloudFront keeps by itself, of those whose time it lets be set."""
MAX_READ_SECONDS = 60
"""The longest that CloudFront waits for a byte without a raised quota."""
MAX_NAME = 64
LONGEST = {"Name": "x" * 27, "AWS::Region": "ap-southeast-1"}
OF_THE_FILE = {"content-type", "content-length", "content-encoding", "last-modified", "etag", "accept-ranges", "vary"}
OF_THE_REQUEST = {"cache-control", REQUEST_ID, TRACE_RESPONSE}
"""Those that S3 keeps with the file, and those that a program makes of each request."""


def behaviour(path: str) -> dict[str, Any]:
    """What CloudFront does with a path: the first pattern that matches decides."""
    found = (one for one in CONFIG["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"]))
    return next(found, CONFIG["DefaultCacheBehavior"])


def served() -> Iterator[tuple[str, str]]:
    """Every path of a server, and the origin that has it on AWS."""
    for route in composed().routes:
        if isinstance(route, Route):  # all else is of a router, or a WebSocket, which has an address of its own
            yield shown(route.path), FILES
    for described in described_routes():
        yield shown(described.path), described.path.split("/")[1]
    for route in mcp_router(DOOR).routes:
        assert isinstance(route, Route)
        yield shown(route.path), "mcp-descriptions" if route.path.startswith(METADATA) else "mcp"


def shown(path: str) -> str:
    """A path with values for its parameters."""
    return re.sub(r"\{[^}]*\}", "x", path)


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    install(Services(Settings(public_url=ADDRESS)))
    yield
    install(None)


def ask(method: str, path: str, **options: Any) -> httpx.Response:
    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(composed())
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            return await client.request(method, path, **options)

    return asyncio.run(exchange())


def test_every_path_of_a_server_leads_to_what_answers_it() -> None:
    paths = dict(served())
    assert {"/", "/assets/x", "/docs", "/api/docs", "/mcp/x"} <= paths.keys()
    assert "/.well-known/oauth-protected-resource/mcp/x" in paths
    wrong = {path: origin for path, origin in paths.items() if behaviour(path)["TargetOriginId"] != origin}
    assert wrong == {}
    assert {*paths.values()} == {FILES, *DOORS}
    assert behaviour("/docs/guides/start.html")["TargetOriginId"] == FILES


def test_no_pattern_is_without_effect() -> None:
    patterns = [one["PathPattern"] for one in CONFIG["CacheBehaviors"]]
    paths = [path for path, _ in served()] + ["/docs/x"]
    assert {behaviour(path).get("PathPattern") for path in paths} == {*patterns, None}
    assert len(patterns) == len(set(patterns)) <= 25


@pytest.mark.parametrize("origin", DOORS)
def test_requests_go_to_the_api_as_they_came(origin: str) -> None:
    """Whoever keeps an answer would show it to others; API Gateway knows its APIs by the host name."""
    found = [one for one in CONFIG["CacheBehaviors"] if one["TargetOriginId"] == origin]
    assert found
    for one in found:
        assert set(one["AllowedMethods"]) == ALL_METHODS
        assert (one["CachePolicyId"], one["OriginRequestPolicyId"]) == (NO_CACHE, ALL_BUT_HOST)
        assert (one["ViewerProtocolPolicy"], one["Compress"]) == ("https-only", False)
    place = ORIGINS[origin]
    host = f"${{{DOORS[origin]}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}"
    assert place["DomainName"] == {"Fn::Sub": host}
    assert place["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert place["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
    stage = resources("AWS::Serverless::Api")[DOORS[origin]]["StageName"]
    kept = all(one["PathPattern"].startswith((f"/{stage}/", f"/{stage}")) for one in found)
    assert place.get("OriginPath") == (None if kept else f"/{stage}"), "the stage is in front, once"


def test_cloudfront_waits_longer_than_answers_and_silence_take() -> None:
    for name in DOORS:
        seconds = ORIGINS[name]["CustomOriginConfig"]["OriginReadTimeout"]
        assert max(API_SECONDS, 2 * HEARTBEAT_SECONDS) < seconds <= MAX_READ_SECONDS
        assert "ResponseCompletionTimeout" not in ORIGINS[name]["CustomOriginConfig"], "it would end long streams"


def test_errors_of_the_apis_are_told_as_they_are_and_to_nobody_else() -> None:
    """An error page would replace the problems of every API, since it applies to all of the distribution."""
    assert CONFIG["DefaultRootObject"] == "index.html"
    assert {one["ErrorCode"] for one in CONFIG["CustomErrorResponses"]} == KEPT_ERRORS
    for one in CONFIG["CustomErrorResponses"]:
        assert {**one, "ErrorCode": 0} == {"ErrorCode": 0, "ErrorCachingMinTTL": 0}


def evaluated(value: Any, given: dict[str, str], true: set[str]) -> Any:
    """A value of the template for parameters, where these conditions are true."""
    if not isinstance(value, dict):
        return value
    ((function, argument),) = value.items()
    if function == "Ref":
        return given[argument]
    if function == "Fn::If":
        return evaluated(argument[1 if argument[0] in true else 2], given, true)
    if function == "Fn::Select":
        return evaluated(argument[1], given, true)[int(argument[0])]
    if function == "Fn::Split":
        return evaluated(argument[1], given, true).split(argument[0])
    assert function == "Fn::Sub"
    text, more = argument if isinstance(argument, list) else (argument, {})
    known = {**given, **{name: evaluated(one, given, true) for name, one in more.items()}}
    return re.sub(r"\$\{(\w+)\}", lambda name: known[name[1]], text)


@pytest.mark.parametrize("tokens", [None, "https://tokens.example.org"])
@pytest.mark.parametrize("signs_in", [False, True])
def test_people_sign_in_where_a_server_would_have_them(
    monkeypatch: pytest.MonkeyPatch, signs_in: bool, tokens: str | None
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    issuer = {
        "oidc_issuer": "https://id.example.org:8443/realms/a",
        "oidc_audience": "modulo",
        "oidc_client_id": "console",
        "oidc_token_origin": tokens,
    }
    chosen = Settings.model_validate(issuer if signs_in else {})
    install(Services(chosen))
    given = {
        "OidcIssuer": chosen.oidc_issuer or "",
        "OidcClientId": chosen.oidc_client_id or "",
        "OidcAudience": chosen.oidc_audience or "",
        "OidcTokenOrigin": chosen.oidc_token_origin or "",
        "OidcScopes": EDGE["Parameters"]["OidcScopes"]["Default"],
    }
    true = {"SignsIn", *(["TokensElsewhere"] if tokens else [])} if signs_in else set()
    told = evaluated(EDGE["Outputs"]["ConsoleConfiguration"]["Value"], given, true)
    assert json.loads(told) == ask("GET", "/console.json").json()
    sent = ask("GET", "/").headers["content-security-policy"]
    assert evaluated(console_policy(), given, true) == sent
    assert ("https://id.example.org:8443" in sent) is signs_in
    assert ("https://tokens.example.org" in sent) is bool(signs_in and tokens)


def console_policy() -> Any:
    config = MADE["ConsoleHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    return config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]


def headers_of(policy: str) -> dict[str, str]:
    """The headers that a policy adds, where nobody signs in at an issuer."""
    config = MADE[policy]["Properties"]["ResponseHeadersPolicyConfig"]
    found = {}
    for name, one in config["SecurityHeadersConfig"].items():
        assert one["Override"] is True
        if name == "ContentTypeOptions":
            found["x-content-type-options"] = "nosniff"
        elif name == "StrictTransportSecurity":
            found["strict-transport-security"] = f"max-age={one['AccessControlMaxAgeSec']}"
        else:
            found[re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()] = evaluated(one[name], {}, set())
    return found


def test_pages_have_the_headers_that_a_server_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    for path in ("/", "/api/docs", "/page.css"):
        reply = ask("GET", path)
        assert reply.status_code == 200
        sent = {name: value for name, value in reply.headers.items() if name not in OF_THE_FILE | OF_THE_REQUEST}
        assert behaviour(path)["ResponseHeadersPolicyId"] == {"Ref": "ConsoleHeaders"}
        assert headers_of("ConsoleHeaders") == {**sent, "strict-transport-security": "max-age=31536000"}
    assert behaviour("/docs/x")["ResponseHeadersPolicyId"] == {"Ref": "DocumentationHeaders"}
    assert headers_of("DocumentationHeaders")["content-security-policy"] == documentation_site.POLICY


def test_assistants_are_told_where_to_get_a_token() -> None:
    refusal = ask("POST", "/mcp", json={})
    assert refusal.status_code == 401
    assert MADE["McpHeaders"]["Condition"] == "Named"
    (header,) = MADE["McpHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]["CustomHeadersConfig"]["Items"]
    told = header["Value"]["Fn::Sub"].replace("${DomainName}", ADDRESS.removeprefix("https://"))
    assert (header["Header"].lower(), told) == ("www-authenticate", refusal.headers["www-authenticate"])
    chosen = behaviour("/mcp")["ResponseHeadersPolicyId"]
    assert chosen == {"Fn::If": ["Named", {"Ref": "McpHeaders"}, {"Ref": "AWS::NoValue"}]}
    assert "ResponseHeadersPolicyId" not in behaviour("/mcp/papers"), "its description has another address"


def run(name: str, event: dict[str, Any]) -> dict[str, Any]:
    """What CloudFront gets from a function: the program knows nothing but the language."""
    function = MADE[name]["Properties"]
    assert function["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"
    assert function["AutoPublish"] is True
    assert len(function["FunctionCode"]) < 10_000
    program = (
        "const [code, event] = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));"
        "const made = require('node:vm').runInNewContext(`'use strict'; ${code}; handler(event)`, { event });"
        "process.stdout.write(JSON.stringify(made));"
    )
    done = subprocess.run(
        [ROOT / ".ci" / "node", "node", "-e", program],
        input=json.dumps([function["FunctionCode"], event]),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


def viewer_request(method: str, uri: str, headers: dict[str, str]) -> dict[str, Any]:
    """An event as CloudFront's own documentation shows it."""
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request",
            "requestId": "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==",
        },
        "viewer": {"ip": "198.51.100.11"},
        "request": {
            "method": method,
            "uri": uri,
            "querystring": {"a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]}},
            "headers": {name: {"value": value} for name, value in headers.items()},
            "cookies": {},
        },
    }


def test_the_api_is_told_the_name_that_the_client_used() -> None:
    sent = {"host": "rag.example.org", "authorization": "Bearer mod_x", FORWARDED_HOST: "evil.example"}
    event = viewer_request("POST", "/mcp", sent)
    made = run("TellHost", event)
    expected = {**event["request"], "headers": {**event["request"]["headers"], FORWARDED_HOST: {"value": sent["host"]}}}
    assert made == expected
    told = [{"EventType": "viewer-request", "FunctionARN": {"Fn::GetAtt": ["TellHost", "FunctionARN"]}}]
    for path in ("/mcp", "/mcp/papers", "/.well-known/oauth-protected-resource/mcp"):
        assert behaviour(path)["FunctionAssociations"] == told


def test_the_documentation_begins_where_a_servers_does() -> None:
    made = run("BeginDocumentation", viewer_request("GET", "/docs", {"host": "rag.example.org"}))
    own = ask("GET", "/docs")
    assert made["statusCode"] == own.status_code
    assert made["headers"]["location"]["value"] == own.headers["location"]
    assert [one["FunctionARN"]["Fn::GetAtt"][0] for one in behaviour("/docs")["FunctionAssociations"]] == [
        "BeginDocumentation"
    ]


def test_nobody_but_this_distribution_reads_the_files() -> None:
    bucket = MADE["Files"]["Properties"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    policy = MADE["FilesPolicy"]["Properties"]
    assert policy["Bucket"] == {"Ref": "Files"}
    denied, *allowed = policy["PolicyDocument"]["Statement"]
    assert (denied["Effect"], denied["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    own = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
    arn = {"Fn::GetAtt": ["Files", "Arn"]}
    assert {one["Action"]: one["Resource"] for one in allowed} == {
        "s3:GetObject": {"Fn::Sub": "${Files.Arn}/*"},
        "s3:ListBucket": arn,
    }
    for one in allowed:
        assert one["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert one["Condition"] == {"StringEquals": {"aws:SourceArn": {"Fn::Sub": own}}}
    place = ORIGINS[FILES]
    assert place["OriginAccessControlId"] == {"Fn::GetAtt": ["FilesAccess", "Id"]}
    assert place["S3OriginConfig"] == {"OriginAccessIdentity": ""}
    control = MADE["FilesAccess"]["Properties"]["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")


def test_clients_speak_modern_tls_and_http() -> None:
    named = CONFIG["ViewerCertificate"]["Fn::If"][1]
    assert (named["MinimumProtocolVersion"], named["SslSupportMethod"]) == ("TLSv1.2_2021", "sni-only")
    assert CONFIG["HttpVersion"] == "http2and3"
    protocols = {one["ViewerProtocolPolicy"] for one in CONFIG["CacheBehaviors"]}
    assert protocols == {"redirect-to-https", "https-only"}


@pytest.mark.parametrize(
    ("arn", "taken"),
    [
        ("", True),
        ("arn:aws:acm:us-east-1:111122223333:certificate/x", True),
        ("arn:aws:acm:eu-west-1:111122223333:certificate/x", False),
        ("arn:aws:iam::111122223333:server-certificate/x", False),
    ],
)
def test_a_certificate_of_another_region_is_refused_before_anything_is_made(arn: str, taken: bool) -> None:
    root, nested = template()["Parameters"]["EdgeCertificate"], EDGE["Parameters"]["Certificate"]
    assert root["AllowedPattern"] == nested["AllowedPattern"]
    assert (re.fullmatch(root["AllowedPattern"], arn) is not None) is taken


def names(value: Any) -> Iterator[str]:
    """Names that must be their own in an account, which CloudFront has for all regions together."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "Name" and isinstance(one, dict) and "Fn::Sub" in one:
                yield one["Fn::Sub"]
            else:
                yield from names(one)
    elif isinstance(value, list):
        for one in value:
            yield from names(one)


def test_stacks_of_one_name_in_two_regions_stand_side_by_side() -> None:
    found = [*names({name: made for name, made in MADE.items() if made["Type"].startswith("AWS::CloudFront::")})]
    assert len(found) == len(set(found)) == 6
    for name in found:
        assert name.startswith("${Name}-${AWS::Region}")
        longest = re.sub(r"\$\{([^}]+)\}", lambda part: LONGEST[part[1]], name)
        assert len(longest) <= MAX_NAME, longest


@pytest.mark.parametrize(
    ("stack", "nested", "condition"),
    [("EdgeStack", "infra/edge.yaml", "Edged"), ("DomainStack", "infra/domain.yaml", "Mapped")],
)
def test_the_root_makes_it_where_it_is_asked_for(stack: str, nested: str, condition: str) -> None:
    made = template()["Resources"][stack]
    assert (made["Condition"], made["Properties"]["TemplateURL"]) == (condition, nested)
    taken = template(nested)["Parameters"]
    assert made["Properties"]["Parameters"].keys() == taken.keys()
    for name, value in made["Properties"]["Parameters"].items():
        default = template()["Parameters"].get(value.get("Ref"), {}).get("Default")
        assert default == taken[name].get("Default", default), name
    used = {value["Value"]["Fn::GetAtt"][1] for value in template()["Outputs"].values() if stack in str(value)}
    assert used == {f"Outputs.{name}" for name in template(nested)["Outputs"]}
    assert template()["Parameters"]["Edge"]["Default"] == "false"


def test_a_custom_domain_has_the_stages_as_its_paths() -> None:
    domain = template("infra/domain.yaml")["Resources"]
    mappings = [one["Properties"] for one in domain.values() if one["Type"] == "AWS::ApiGateway::BasePathMapping"]
    stages = {name: one["StageName"] for name, one in resources("AWS::Serverless::Api").items()}
    assert {(one["RestApiId"]["Ref"], one["Stage"], one.get("BasePath", "")) for one in mappings} == {
        *((name, stage, stage) for name, stage in stages.items()),
        ("McpApi", "mcp", ""),
    }


@pytest.mark.parametrize("stack", ["EdgeStack", "DomainStack"])
def test_one_address_leads_to_the_rest_apis_and_waits_for_their_stages(stack: str) -> None:
    """A stack that is nested has its stage before it has outputs."""
    made = template()["Resources"][stack]
    apis = {name: made["Properties"]["Parameters"][name] for name in ("Api", "V1Api", "McpApi")}
    told = {"Fn::GetAtt": ["V1Door", "Outputs.Api"]}, {"Fn::GetAtt": ["McpDoor", "Outputs.Api"]}
    assert apis == dict(zip(apis, ({"Ref": "Api"}, *told), strict=True))
    for door, path in DOOR_TEMPLATES.items():
        (output,) = template(path)["Outputs"].values()
        assert output["Value"] == {"Ref": f"{door.removesuffix('Door')}Api"}
    if stack == "DomainStack":  # CloudFront asks no API before it is asked
        assert made["DependsOn"] == "ApiapiStage" in translated()["Resources"]


def test_the_address_is_told_to_functions() -> None:
    told = template()["Globals"]["Function"]["Environment"]["Variables"]["PUBLIC_URL"]
    named = {"Fn::If": ["Named", {"Fn::Sub": "https://${DomainName}"}, ""]}
    assert told == {"Fn::If": ["UrlGiven", {"Ref": "PublicUrl"}, named]}
    assert {"Ref": "DomainName"} in template()["Resources"]["Migration"]["Properties"]["Parameters"]


@pytest.mark.parametrize("path", sorted((ROOT / "infra").glob("*.yaml")), ids=lambda path: path.name)
def test_a_nested_template_has_no_aliases(path: Path) -> None:
    """CloudFormation takes none, and merges neither; the tests' own reader would resolve them."""
    events = yaml.parse(path.read_text())
    assert [event for event in events if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)] == []
