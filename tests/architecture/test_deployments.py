"""Deployments that would not work are refused, and two stacks stand side by side in one account."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.architecture.sources import DOORS, chosen, holds, properties, template, translated

NESTED = (
    "infra/network.yaml",
    "infra/data.yaml",
    "infra/observability.yaml",
    "infra/autoscaling.yaml",
    "infra/edge.yaml",
    "infra/edge_alarms.yaml",
    "infra/domain.yaml",
    *DOORS.values(),
)
ALONE = ("infra/account.yaml", "infra/key.yaml")
"""Stacks apart."""
ELSEWHERE = {
    ("AWS::ApiGateway::DomainName", "DomainName"): "the operator's",
    ("AWS::ApiGateway::Stage", "StageName"): "within an API",
    ("AWS::ApiGatewayV2::Stage", "StageName"): "within an API",
    ("AWS::CodeDeploy::DeploymentGroup", "DeploymentConfigName"): "Amazon's",
    ("AWS::CloudWatch::Alarm", "MetricName"): "of a metric",
    ("AWS::EC2::VPCEndpoint", "ServiceName"): "of somebody's service",
    ("AWS::IAM::Role", "PolicyName"): "within a role",
    ("AWS::Lambda::Alias", "Name"): "within a function",
    ("AWS::RDS::DBCluster", "DatabaseName"): "within a cluster",
    ("AWS::RDS::DBProxyTargetGroup", "TargetGroupName"): "within a proxy",
    ("AWS::Route53::HostedZone", "Name"): "the operator's, in one network",
    ("AWS::Route53::RecordSet", "Name"): "the operator's, in one network",
    ("AWS::Scheduler::Schedule", "GroupName"): "of a group, which has the stack's name or is everybody's",
}
"""Names that two stacks may have in common, and whose they are."""
GLOBAL = ("AWS::CloudFront::", "AWS::CloudWatch::Dashboard", "AWS::IAM::", "AWS::S3::Bucket")
"""Kinds whose names are an account's in all regions, or everybody's."""
OF_THE_STACK = ("AWS::StackName", "Prefix", "Name", "Function")
"""The stack's name, and the parameters by which nested stacks are told it."""
GIVEN = {
    "Infrastructure": "given",
    "AlarmEmail": "operators@example.org",
    "DatabaseUrl": "postgresql+pg8000://db",
    "CacheUrl": "redis://cache",
    "MilvusUri": "https://milvus:19530",
    "EmbeddingUrl": "https://models/v1",
}
MANAGED = {
    "Infrastructure": "managed",
    "InternetAccess": "true",
    "AlarmEmail": "operators@example.org",
    "MilvusUri": "https://milvus:19530",
    "EmbeddingUrl": "bedrock:",
}
PRIVATE = {**MANAGED, "InternetAccess": "false", "MilvusEndpointService": "com.amazonaws.vpce.service"}
BEDROCK = {"Generator": "bedrock", "GeneratorModel": "m", "BedrockModelArns": "arn:aws:bedrock:*::foundation-model/m"}
OPENAI = {"Generator": "openai", "GeneratorModel": "m", "GeneratorUrl": "https://models/v1"}
EDGE_CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/x"
EDGE = {"Edge": "true", "DomainName": "rag.example.org", "EdgeCertificate": EDGE_CERTIFICATE}
DOMAIN = {"DomainName": "rag.example.org", "DomainCertificate": "arn:aws:acm:eu-west-1:111122223333:certificate/x"}
TOKENS = {"OidcIssuer": "https://issuer", "OidcAudience": "modulo"}
KEY = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf"
OF_A_NETWORK = {
    "InternetAccess": "true",
    "PrivateServers": "true",
    "ZoneA": "a",
    "ZoneB": "b",
    "DatabaseProtection": "true",
    "MilvusEndpointService": "com.amazonaws.vpce.service",
}


def refusals(given: Mapping[str, str]) -> list[str]:
    """What CloudFormation says about a deployment with these parameters before it makes anything."""
    parameters = chosen(given)
    wrong = [
        f"{name} must match {one['AllowedPattern']}"
        for name, one in template()["Parameters"].items()
        if not re.fullmatch(one.get("AllowedPattern", ".*"), parameters[name], re.DOTALL)
    ]
    return wrong + [
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        if holds(rule.get("RuleCondition", True), parameters)
        for assertion in rule["Assertions"]
        if not holds(assertion["Assert"], parameters)
    ]


@pytest.mark.parametrize(
    "more",
    [
        {},
        OPENAI,
        TOKENS,
        {"AlarmEmail": "", "Alarms": "false"},
        {"AlarmEmail": "", "AlarmTopic": "arn:aws:sns:x"},
        BEDROCK,
        {"Generator": "anthropic", "GeneratorModel": "m", "GeneratorApiKey": KEY},
        {"RerankUrl": "https://reranker/v1", "RerankApiKey": KEY},
        {"Edge": "true"},
        {"Edge": "true", "EdgeWebAcl": "arn:aws:wafv2:us-east-1:1:global/webacl/x"},
        EDGE,
        {**EDGE, "HostedZone": "Z1"},
        {**EDGE, **TOKENS, "OidcClientId": "console"},
        {**EDGE, **TOKENS, "OidcClientId": "console", "OidcTokenOrigin": "https://tokens.example.org"},
        DOMAIN,
    ],
)
@pytest.mark.parametrize("stores", [GIVEN, MANAGED])
def test_what_works_is_deployed(stores: dict[str, str], more: dict[str, str]) -> None:
    assert refusals({**stores, **more}) == []


@pytest.mark.parametrize("more", [{}, BEDROCK, {"ZoneA": "a", "ZoneB": "b"}, {"DatabaseProtection": "true"}])
def test_a_network_without_internet_reaches_aws(more: dict[str, str]) -> None:
    assert refusals({**PRIVATE, **more}) == []


OUTSIDE = [
    ({"MilvusEndpointService": ""}, "MilvusEndpointService"),
    ({"EmbeddingUrl": "https://models/v1"}, "EmbeddingUrl"),
    (OPENAI, "Generators"),
    ({"Generator": "anthropic", "GeneratorModel": "m", "GeneratorApiKey": KEY}, "Generators"),
    ({"RerankUrl": "https://reranker/v1"}, "RerankUrl"),
    (TOKENS, "OidcIssuer"),
]


@pytest.mark.parametrize(("more", "named"), OUTSIDE)
def test_what_a_network_does_not_reach_is_refused(more: dict[str, str], named: str) -> None:
    (refusal,) = refusals({**PRIVATE, **more})
    assert named in refusal
    for way in ("InternetAccess", "PrivateServers"):
        assert refusals({**PRIVATE, **more, way: "true"}) == []


@pytest.mark.parametrize(
    ("stores", "missing"),
    [*((GIVEN, name) for name in GIVEN if name != "Infrastructure"), (MANAGED, "MilvusUri"), (MANAGED, "EmbeddingUrl")],
)
def test_a_deployment_without_a_store_or_a_model_is_refused(stores: dict[str, str], missing: str) -> None:
    (refusal,) = refusals({**stores, missing: ""})
    assert missing in refusal


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({**GIVEN, "OidcIssuer": "https://issuer"}, "OidcAudience"),
        ({**GIVEN, "Generator": "openai", "GeneratorModel": "m"}, "GeneratorUrl"),
        ({**GIVEN, "Generator": "openai", "GeneratorUrl": "https://models/v1"}, "GeneratorModel"),
        ({**MANAGED, "Generator": "bedrock"}, "GeneratorModel"),
        ({**MANAGED, "Generator": "bedrock", "GeneratorModel": "m"}, "BedrockModelArns"),
        ({**MANAGED, **BEDROCK, "GeneratorApiKey": KEY}, "GeneratorApiKey"),
        ({**GIVEN, **BEDROCK, "GeneratorUrl": "https://models/v1"}, "GeneratorUrl"),
        ({**GIVEN, "Generator": "anthropic", "GeneratorModel": "m"}, "GeneratorApiKey"),
        ({**GIVEN, "GeneratorUrl": "https://models/v1"}, "Generator must say"),
        ({**GIVEN, "GeneratorModel": "m"}, "Generator must say"),
        ({**GIVEN, "GeneratorApiKey": KEY}, "Generator must say"),
        ({**GIVEN, "RerankApiKey": KEY}, "RerankUrl"),
        ({**GIVEN, "OidcAudience": "modulo"}, "OidcIssuer"),
        ({**GIVEN, "OidcJwksUrl": "https://issuer/keys"}, "OidcIssuer"),
        ({**GIVEN, "DatabaseOwnerSecret": "arn:aws:secretsmanager:x"}, "DatabaseOwnerUrl"),
        *(({**GIVEN, name: value}, name) for name, value in OF_A_NETWORK.items()),
        *(
            ({**MANAGED, name: "arn:aws:secretsmanager:x"}, "secrets")
            for name in ("DatabaseSecret", "DatabaseOwnerSecret")
        ),
        ({**MANAGED, "RequireTls": "false"}, "RequireTls"),
        ({**MANAGED, "ZoneA": "a"}, "ZoneB"),
        ({**MANAGED, "ZoneB": "b"}, "ZoneA"),
        ({**MANAGED, "ZoneA": "a", "ZoneB": "a"}, "two zones"),
        ({**GIVEN, "AlarmTopic": "arn:aws:sns:x"}, "AlarmEmail"),
        ({**GIVEN, "EdgeWebAcl": "arn:aws:wafv2:us-east-1:1:global/webacl/x"}, "EdgeWebAcl"),
        ({**GIVEN, "EdgeLogBucket": "logs.s3.amazonaws.com"}, "EdgeLogBucket"),
        ({**GIVEN, **EDGE, "DomainCertificate": DOMAIN["DomainCertificate"]}, "EdgeCertificate alone"),
        ({**GIVEN, **DOMAIN, "EdgeCertificate": EDGE_CERTIFICATE}, "DomainCertificate alone"),
        ({**MANAGED, "DatabaseUrl": "postgresql+pg8000://db"}, "DatabaseUrl"),
        ({**MANAGED, "CacheUrl": "redis://cache"}, "CacheUrl"),
        ({**MANAGED, "DatabaseOwnerUrl": "postgresql+pg8000://db"}, "owner"),
        ({**GIVEN, "Snapshots": "true"}, "python3.12"),
        ({**GIVEN, "AlarmEmail": ""}, "AlarmTopic"),
        ({**MANAGED, "AlarmEmail": ""}, "AlarmTopic"),
        ({**GIVEN, **EDGE, "Edge": "false"}, "DomainCertificate"),
        ({**GIVEN, **DOMAIN, "Edge": "true"}, "EdgeCertificate"),
        ({**GIVEN, "DomainName": "rag.example.org"}, "DomainCertificate"),
        ({**GIVEN, **EDGE, "DomainName": ""}, "DomainName"),
        ({**GIVEN, **DOMAIN, "DomainName": ""}, "DomainName"),
        ({**GIVEN, "HostedZone": "Z1"}, "DomainName"),
        ({**GIVEN, **EDGE, "OidcClientId": "console"}, "OidcIssuer"),
        ({**GIVEN, **TOKENS, "OidcClientId": "console"}, "Edge"),
        ({**GIVEN, **EDGE, **TOKENS, "OidcTokenOrigin": "https://tokens.example.org"}, "OidcClientId"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(parameters: dict[str, str], named: str) -> None:
    assert any(named in refusal for refusal in refusals(parameters))


def resources_of(source: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a template, those of a loop once."""
    for logical_id, resource in source["Resources"].items():
        for one in resource[2].values() if isinstance(resource, list) else [resource]:
            yield logical_id, one


def names_in(value: Any) -> Iterator[tuple[str, Any]]:
    """The properties that name something, at the top or in the configuration that is all of it."""
    for key, one in value.items():
        if key.endswith("Name"):
            yield key, one
        elif key.endswith("Config") and isinstance(one, dict):
            yield from ((inner, name) for inner, name in one.items() if inner == "Name")
        elif key == "Policies":
            yield from (("PolicyName", policy["PolicyName"]) for policy in one)


def named_resources() -> Iterator[tuple[str, str, str, Any]]:
    """Every name that a template gives: of which resource, kind and property, and the name."""
    for source in (translated(), *map(template, {*NESTED, *ALONE} - {*DOORS.values()})):
        for logical_id, resource in resources_of(source):
            for key, name in names_in(resource.get("Properties", {})):
                refers = isinstance(name, dict) and (name.get("Ref") in source["Resources"] or "Fn::GetAtt" in name)
                if not refers and (resource["Type"], key) not in ELSEWHERE:
                    yield logical_id, resource["Type"], key, name


def test_two_stacks_have_no_name_in_common() -> None:
    found = list(named_resources())
    assert {"SweepTick", "ResetQuotasTick", "Uploads", "FilesAccess", "Dashboard"} <= {one for one, *_ in found}
    assert len({kind for _, kind, *_ in found}) > 12
    shared = [one for one in found if not any(stack in json.dumps(one[-1]) for stack in OF_THE_STACK)]
    assert shared == []


def test_what_is_named_in_all_regions_at_once_has_the_regions_name() -> None:
    found = [one for one in named_resources() if one[1].startswith(GLOBAL)]
    assert {kind for _, kind, *_ in found} >= {
        "AWS::CloudFront::Function",
        "AWS::CloudWatch::Dashboard",
        "AWS::S3::Bucket",
    }
    assert [one for one in found if "AWS::Region" not in json.dumps(one[-1])] == []


def functions_in(expression: Any) -> Iterator[str]:
    """The intrinsic functions of an expression."""
    if isinstance(expression, dict):
        yield from expression
        for argument in expression.values():
            yield from functions_in(argument)
    elif isinstance(expression, list):
        for each in expression:
            yield from functions_in(each)


@pytest.mark.parametrize("name", ["template.yaml", *NESTED])
def test_conditions_use_only_what_every_cloud_evaluates(name: str) -> None:
    known = {"Ref", "Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or", "Fn::Join"}
    assert set(functions_in(list(template(name).get("Conditions", {}).values()))) <= known


def test_what_an_account_has_once_belongs_to_no_stack_of_the_service() -> None:
    kinds = {
        one["Type"]
        for source in (translated(), *map(template, NESTED))
        for one in source["Resources"].values()
        if isinstance(one, dict)
    }
    assert "AWS::ApiGateway::Account" not in kinds
    account = template("infra/account.yaml")["Resources"]
    assert {one["Type"] for one in account.values()} == {"AWS::ApiGateway::Account", "AWS::IAM::Role"}
    assert all(one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain" for one in account.values())


def test_the_first_deployment_can_be_rolled_back() -> None:
    assert template()["Parameters"]["DatabaseProtection"]["Default"] == "false"
    cluster = template("infra/data.yaml")["Resources"]["Cluster"]
    assert cluster["Properties"]["DeletionProtection"] == {"Ref": "Protection"}
    assert cluster["DeletionPolicy"] == "Snapshot"


def test_a_database_on_another_machine_is_verified_in_both_modes() -> None:
    managed, given = template()["Globals"]["Function"]["Environment"]["Variables"]["DATABASE_CA_FILE"]["Fn::If"][1:]
    assert managed == template()["Parameters"]["DatabaseCaFile"]["Default"]
    assert given == {"Ref": "DatabaseCaFile"}


def rules_of(
    group: str, kind: str, conditions: Mapping[str, bool], parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A security group's rules of a network, as a deployment makes them."""
    written = template("infra/network.yaml")["Resources"][group]["Properties"][f"SecurityGroup{kind}"]
    return [one for one in decided(written, conditions, parameters) if one != NOTHING]


NOTHING = {"Ref": "AWS::NoValue"}


def decided(value: Any, conditions: Mapping[str, bool], parameters: Mapping[str, Any]) -> Any:
    """A part of a template with its conditions decided and its parameters filled in."""
    if isinstance(value, list):
        return [decided(one, conditions, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, one, other = value["Fn::If"]
        return decided(one if conditions[condition] else other, conditions, parameters)
    if value.get("Ref") in parameters:
        return parameters[value["Ref"]]
    return {name: decided(one, conditions, parameters) for name, one in value.items()}


@pytest.mark.parametrize("port", [443, 19530])
@pytest.mark.parametrize(
    ("private", "internet", "place"),
    [(True, False, "inside"), (True, True, "inside"), (False, True, "0.0.0.0/0"), (False, False, "inside")],
)
def test_milvus_is_reached_wherever_it_is(port: int, private: bool, internet: bool, place: str) -> None:
    conditions = {"PrivateMilvus": private, "Internet": internet, "MilvusByHttps": port == 443}
    out, into = (
        rules_of(group, kind, conditions, {"Cidr": "inside", "MilvusPort": port})
        for group, kind in (("FunctionSecurityGroup", "Egress"), ("EndpointSecurityGroup", "Ingress"))
    )
    for rules in (out, into):
        told = [json.dumps({**rule, "Description": ""}, sort_keys=True) for rule in rules]
        assert len(told) == len(set(told)), "EC2 refuses the same permission twice"
        assert any(rule["FromPort"] <= port <= rule["ToPort"] for rule in rules)
    assert any(rule["ToPort"] == port and rule["CidrIp"] in (place, "0.0.0.0/0") for rule in out)


def test_the_name_of_a_private_milvus_leads_to_its_endpoint() -> None:
    network = template("infra/network.yaml")["Resources"]
    assert network["MilvusAddress"]["Properties"]["Name"] == network["MilvusZone"]["Properties"]["Name"]
    assert network["MilvusZone"]["Condition"] == network["MilvusAddress"]["Condition"] == "PrivateMilvus"
    assert template("infra/network.yaml")["Conditions"]["MilvusByHttps"] == {"Fn::Equals": [{"Ref": "MilvusPort"}, 443]}


def test_only_migrations_reach_the_database_as_its_owner() -> None:
    variables = properties("migrate")["Environment"]["Variables"]
    assert variables["DATABASE_OWNER_URL"]["Fn::If"][1] == {
        "Fn::Sub": "postgresql+pg8000://modulo@${Data.Outputs.ClusterEndpoint}:5432/modulo"
    }
    outputs = template("infra/data.yaml")["Outputs"]
    assert outputs["ClusterEndpoint"]["Value"] == {"Fn::GetAtt": ["Cluster", "Endpoint.Address"]}, "not the proxy's"
    assert outputs["OwnerSecret"]["Value"] == {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}
    network = template("infra/network.yaml")["Resources"]["SecretsEndpoint"]["Properties"]
    assert network["ServiceName"]["Fn::Sub"].endswith(".secretsmanager"), "a private network has no other way"


def test_functions_log_in_as_a_role_that_owns_nothing() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    roles = {
        variables[name]["Fn::If"][1]["Fn::Sub"].partition("://")[2].partition("@")[0]
        for name in ("DATABASE_URL", "DATABASE_READER_URL")
    }
    (access,) = template()["Resources"]["DatabaseAccess"]["Properties"]["PolicyDocument"]["Statement"]
    data = template("infra/data.yaml")["Resources"]
    made = json.loads(data["FunctionsSecret"]["Properties"]["GenerateSecretString"]["SecretStringTemplate"])
    assert roles == {access["Resource"]["Fn::Sub"].rpartition("/")[2]} == {made["username"]}
    assert roles != {data["Cluster"]["Properties"]["MasterUsername"]}
    assert {"Ref": "FunctionsSecret"} in [auth["SecretArn"] for auth in data["Proxy"]["Properties"]["Auth"]]
    assert "DATABASE_OWNER_SECRET" not in variables
