"""Deployments that would not work are refused, and two stacks stand side by side in one account."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.architecture.sources import chosen, holds, properties, template, translated

NESTED = (
    "infra/network.yaml",
    "infra/data.yaml",
    "infra/observability.yaml",
    "infra/autoscaling.yaml",
    "infra/edge.yaml",
    "infra/domain.yaml",
)
NAMED = {
    "AWS::ApiGatewayV2::Api": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ElastiCache::ServerlessCache": "ServerlessCacheName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::RDS::DBCluster": "DBClusterIdentifier",
    "AWS::RDS::DBProxy": "DBProxyName",
    "AWS::RDS::DBProxyEndpoint": "DBProxyEndpointName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
}
"""Where resources have a name that must be their own in an account and region."""
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
    "AlarmEmail": "operators@example.org",
    "MilvusUri": "https://milvus:19530",
    "EmbeddingUrl": "bedrock:",
}
OPENAI = {"Generator": "openai", "GeneratorModel": "m", "GeneratorUrl": "https://models/v1"}
EDGE_CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/x"
EDGE = {"Edge": "true", "DomainName": "rag.example.org", "EdgeCertificate": EDGE_CERTIFICATE}
DOMAIN = {"DomainName": "rag.example.org", "DomainCertificate": "arn:aws:acm:eu-west-1:111122223333:certificate/x"}
TOKENS = {"OidcIssuer": "https://issuer", "OidcAudience": "modulo"}


def refusals(given: Mapping[str, str]) -> list[str]:
    """What CloudFormation says about a deployment with these parameters before it makes anything."""
    parameters = chosen(given)
    return [
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
        {"Generator": "bedrock", "GeneratorModel": "m"},
        {"Edge": "true"},
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
        ({**MANAGED, "DatabaseUrl": "postgresql+pg8000://db"}, "DatabaseUrl"),
        ({**MANAGED, "CacheUrl": "redis://cache"}, "CacheUrl"),
        ({**MANAGED, "DatabaseOwnerUrl": "postgresql+pg8000://db"}, "owner"),
        ({**GIVEN, "MilvusEndpointService": "com.amazonaws.vpce.service"}, "MilvusEndpointService"),
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


def named_resources() -> Iterator[tuple[str, Any]]:
    """Every resource with a name of its own, and that name."""
    for source in (translated(), *map(template, NESTED)):
        for logical_id, resource in source["Resources"].items():
            made = list(resource[2].values()) if isinstance(resource, list) else [resource]  # of Fn::ForEach
            for one in made:
                if name := one.get("Properties", {}).get(NAMED.get(one["Type"], "")):
                    yield logical_id, name


def test_two_stacks_have_no_name_in_common() -> None:
    found = dict(named_resources())
    assert {"SweepTick", "ResetQuotasTick"} <= found.keys()
    shared = {
        logical: name for logical, name in found.items() if not any(one in json.dumps(name) for one in OF_THE_STACK)
    }
    assert shared == {}


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


def test_milvus_is_reached_wherever_it_is() -> None:
    network = template("infra/network.yaml")["Resources"]
    (egress,) = [
        rule
        for rule in network["FunctionSecurityGroup"]["Properties"]["SecurityGroupEgress"]
        if rule.get("Description") == "Milvus"
    ]
    inside = {"Ref": "Cidr"}
    assert egress["CidrIp"] == {"Fn::If": ["PrivateMilvus", inside, {"Fn::If": ["Internet", "0.0.0.0/0", inside]}]}
    assert network["MilvusAddress"]["Properties"]["Name"] == network["MilvusZone"]["Properties"]["Name"]
    assert network["MilvusZone"]["Condition"] == network["MilvusAddress"]["Condition"] == "PrivateMilvus"
    ports = {
        json.dumps(rule[end])
        for group, kind in (("FunctionSecurityGroup", "Egress"), ("EndpointSecurityGroup", "Ingress"))
        for rule in network[group]["Properties"][f"SecurityGroup{kind}"]
        if rule.get("Description") == "Milvus"
        for end in ("FromPort", "ToPort")
    }
    assert ports == {json.dumps({"Ref": "MilvusPort"})}


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
