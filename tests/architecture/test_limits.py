"""Every configuration is within what CloudFormation and API Gateway allow."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest

from tests.architecture.sources import (
    DOORS,
    FUNCTIONS,
    INTEGRATION,
    ROOT,
    ROOT_TEMPLATE,
    api_routes,
    called,
    declared,
    logical_id,
    packaged,
    properties,
    template,
    translate,
    translated,
    translations,
    true_conditions,
)
from tests.architecture.test_deployments import (
    BEDROCK,
    DOMAIN,
    EDGE,
    GIVEN,
    MANAGED,
    NESTED,
    OPENAI,
    TOKENS,
    decided,
    refusals,
)
from tests.architecture.test_resources import API_SECONDS, STREAM_SECONDS

CONFIGURATIONS = {
    "the least": {
        **GIVEN,
        "AlarmEmail": "",
        **dict.fromkeys(("Alarms", "AccessLog", "MigrateOnDeploy", "RequireTls", "WebSockets"), "false"),
        "StreamTransferMode": "BUFFERED",
    },
    "given stores and a domain": {
        **GIVEN,
        **OPENAI,
        **DOMAIN,
        "HostedZone": "Z1",
        "PublicUrl": "https://rag.example.org",
        "DatabaseSecret": "arn:aws:secretsmanager:x",
        "DatabaseOwnerUrl": "postgresql+pg8000://owner@db",
        "DatabaseOwnerSecret": "arn:aws:secretsmanager:y",
        "Scale": "over-10K",
        "SearchConcurrency": "400",
    },
    "managed stores and everything": {
        **MANAGED,
        **EDGE,
        **TOKENS,
        "HostedZone": "Z1",
        "OidcClientId": "console",
        "Scale": "over-10K",
        "Snapshots": "true",
        "Runtime": "python3.13",
        "Tracing": "true",
        "InternetAccess": "true",
        "MilvusEndpointService": "com.amazonaws.vpce.service",
        "KmsKey": "arn:aws:kms:x",
        "SecretArns": "arn:aws:secretsmanager:x",
        "AllowedOrigins": "*",
        **BEDROCK,
    },
}
MAX_RESOURCES = 500
"""That a template may declare. A resource whose condition is false counts."""
MAX_RESOURCES_TOGETHER = 2_500
"""That a stack may have with all that are nested in it."""
MAX_TEMPLATE_BYTES = 1_000_000
MAX_NAMES = 200
"""Parameters, outputs and mappings of a template, each; and attributes of a mapping."""
MAX_DESCRIPTION_BYTES = 1_024
MAX_API_RESOURCES = 300
MAX_STAGES = 10
LONGEST_STACK_NAME = "x" * 27
LONGEST_KEY = f"{LONGEST_STACK_NAME}/{'0' * 64}"
FOR_EACH = "Fn::ForEach"


LONGEST_KEYS = dict.fromkeys(declared(), LONGEST_KEY)


@cache
def deployed(name: str) -> dict[str, Any]:
    """The template, with the doors, as CloudFormation processes it for a configuration."""
    return translate(LONGEST_KEYS, CONFIGURATIONS[name])


def rest_apis() -> dict[str, dict[str, Any]]:
    """The paths of each REST API, by its logical id."""
    made = translated()["Resources"].items()
    return {name: one["Properties"]["Body"]["paths"] for name, one in made if one["Type"] == "AWS::ApiGateway::RestApi"}


def api_resources(paths: Iterable[str]) -> int:
    """How many resources a REST API has: every beginning of a path is one, and so is the root."""
    parts = [[part for part in path.split("/") if part] for path in paths]
    return len({tuple(part[:length]) for part in parts for length in range(len(part) + 1)})


def integrations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route of every REST API: its name, the logical id of its function, and how the gateway calls that."""
    for api, paths in rest_apis().items():
        for path, methods in paths.items():
            for method, operation in methods.items():
                integration = decided(operation[INTEGRATION], {"Streams": True}, {})
                yield f"{api} {method} {path}", called(integration), integration


def unrolled(name: str) -> int:
    """How many resources a template makes whatever the parameters."""
    made = translations(LONGEST_KEYS).get(name, template(name))["Resources"].items()
    return sum(len(one[1]) * len(one[2]) if key.startswith(FOR_EACH) else 1 for key, one in made)


def test_the_configurations_turn_every_condition_on_and_off() -> None:
    true = [true_conditions(given) for given in CONFIGURATIONS.values()]
    assert set().union(*true) == set(template()["Conditions"])
    assert set.intersection(*true) == set()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_within_the_limits_of_cloudformation(name: str) -> None:
    assert refusals(CONFIGURATIONS[name]) == []
    for source in translations(LONGEST_KEYS, CONFIGURATIONS[name]).values():
        assert len(source["Resources"]) <= MAX_RESOURCES
        assert len(json.dumps(source).encode()) <= MAX_TEMPLATE_BYTES


@pytest.mark.parametrize("name", [ROOT_TEMPLATE, *DOORS.values()])
def test_a_packaged_template_is_within_the_limits_of_cloudformation(name: str) -> None:
    assert len(json.dumps(packaged(LONGEST_KEYS, name)).encode()) <= MAX_TEMPLATE_BYTES


def test_a_deployment_is_within_the_limits_of_cloudformation() -> None:
    assert sum(map(unrolled, (ROOT_TEMPLATE, *NESTED))) <= MAX_RESOURCES_TOGETHER


@pytest.mark.parametrize("name", [ROOT_TEMPLATE, *NESTED])
def test_a_template_is_within_the_limits_of_cloudformation(name: str) -> None:
    found = template(name)
    assert unrolled(name) <= MAX_RESOURCES
    assert len((ROOT / name).read_bytes()) <= MAX_TEMPLATE_BYTES
    assert len(found["Description"].encode()) <= MAX_DESCRIPTION_BYTES
    for section in ("Parameters", "Outputs", "Mappings"):
        assert len(found.get(section, {})) <= MAX_NAMES, section
    for mapping in found.get("Mappings", {}).values():
        assert len(mapping) <= MAX_NAMES


def test_every_nested_template_is_held_to_the_limits() -> None:
    nested = {
        one["Properties"]["TemplateURL"]
        for one in template()["Resources"].values()
        if one["Type"] == "AWS::CloudFormation::Stack"
    }
    assert nested == set(NESTED)


def test_a_rest_api_is_within_the_limits_of_api_gateway() -> None:
    apis = rest_apis()
    assert apis.keys() == {"Api", "V1Api", "McpApi"}
    for api, paths in apis.items():
        assert api_resources(paths) <= MAX_API_RESOURCES, api
    kind = "AWS::ApiGateway::Stage"
    stages = Counter(
        one["Properties"]["RestApiId"]["Ref"] for one in translated()["Resources"].values() if one["Type"] == kind
    )
    assert stages.keys() == apis.keys()
    assert max(stages.values()) <= MAX_STAGES


def test_no_function_outlives_its_route() -> None:
    """A gateway that waits for less would end streams; what it waits for without a timeout of the route is 29 s."""
    names = {logical_id(name): name for name in FUNCTIONS}
    routes = list(integrations())
    for route, function, integration in routes:
        streams = integration.get("responseTransferMode") == "STREAM"
        waits = integration.get("timeoutInMillis", API_SECONDS * 1000) / 1000
        assert properties(names[function])["Timeout"] <= waits <= (STREAM_SECONDS if streams else API_SECONDS), route
    assert {function for _, function, _ in routes} == {logical_id(name) for name in FUNCTIONS if api_routes(name)}
