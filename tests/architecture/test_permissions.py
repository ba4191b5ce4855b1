"""What each function may do: its own role, no wildcard, and no secret it does not use."""

import json
import re
from typing import Any

import pytest

from modulo.settings import Settings
from tests.architecture.sources import (
    FUNCTIONS,
    INTEGRATION,
    called,
    logical_id,
    properties,
    resources,
    template,
    translated,
)
from tests.architecture.test_limits import CONFIGURATIONS, deployed

MAX_FUNCTION_NAME = 64
MAX_INLINE_POLICIES = 10_240
"""Characters of a role's own policies, all together."""
MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": "write its own logs",
    "AWSLambdaVPCAccessExecutionRole": "network interfaces have no name before they exist",
    "AWSXrayWriteOnlyAccess": "hand traces to X-Ray, where that is on; SAM adds it to each function that may be traced",
    "AWSLambdaSQSQueueExecutionRole": "receive and delete; SAM adds it to a function with a queue",
}
"""Policies of Amazon's that name no resource, and why they may stay."""
SHARED_POLICIES = {
    *("DatabaseAccess", "ModelAccess", "OwnerAccess", "PushAccess"),
    *("PasswordAccess", "OwnerPasswordAccess", "SecretAccess"),
}
ANNOUNCERS = {
    "add_document",
    "add_documents",
    "add_url",
    "admin",
    "create_upload",
    "delete_collection",
    "delete_file",
    "fetch_url",
    "ingest_file",
    "mcp_exchange",
    "push_events",
    "remove_member",
    "retry_dead_letter",
    "retry_dead_letters",
    "retry_file",
    "retry_files",
    "sweep",
    "upload_file",
    "v1_cancel_file_batch",
    "v1_create_file_batch",
    "v1_create_vector_store",
    "v1_create_vector_store_file",
    "v1_delete_file",
    "v1_delete_vector_store",
    "v1_delete_vector_store_file",
    "watch_files",
}
"""Who changes what somebody may watch, or has them told."""
ANSWERERS = {
    *("mcp_exchange", "ask_conversation", "search", "stream_conversation", "stream_search"),
    *("v1_create_chat_completion", "v1_create_response"),
}
SEARCHES = {*ANSWERERS, "v1_search_vector_store"}
MODEL_USERS = {*SEARCHES, "ingest_file", "v1_create_embedding"}  # to `health`, being refused is answer enough
SECRETS = {
    "DATABASE_OWNER_URL": {"migrate"},
    "CACHE_URL": {*SEARCHES, "ingest_file", "purge", "health"},
    "MILVUS_TOKEN": {*SEARCHES, "ingest_file", "purge", "health", "list_chunks", "v1_get_vector_store_file_content"},
    "EMBEDDING_API_KEY": {*SEARCHES, "ingest_file", "health", "v1_create_embedding"},
    "RERANK_API_KEY": {*SEARCHES, "health"},
    "GENERATOR_FALLBACKS": {*ANSWERERS, "health"},
    "GENERATOR_API_KEY": {*ANSWERERS, "health"},
}
"""Who is given what only some functions need."""
STORED = ("CACHE_URL", "MILVUS_TOKEN", "EMBEDDING_API_KEY", "RERANK_API_KEY", "GENERATOR_API_KEY")
"""What may be the ARN of a secret."""


SHARED_ROLE = "DatabaseFunctionRole"
"""Of functions that need the database alone: as many roles would all allow the same."""


def role_of(name: str) -> str:
    """The logical id of a function's role."""
    (found, _) = translated()["Resources"][logical_id(name)]["Properties"]["Role"]["Fn::GetAtt"]
    return str(found)


def role(name: str) -> dict[str, Any]:
    found: dict[str, Any] = translated()["Resources"][role_of(name)]["Properties"]
    return found


def statements(name: str) -> list[dict[str, Any]]:
    return [entry for policy in properties(name).get("Policies", []) for entry in policy.get("Statement", [])]


def attached(name: str) -> tuple[set[str], set[str]]:
    """The managed policies of a function's role: the names of Amazon's, and the stack's logical ids."""
    chosen = [one["Fn::If"][1] if "Fn::If" in one else one for one in role(name)["ManagedPolicyArns"]]
    ours = {one["Ref"] for one in chosen if "Ref" in one}
    amazons = [one if isinstance(one, str) else one["Fn::Sub"] for one in chosen if "Ref" not in one]
    return {arn.rpartition("/")[2] for arn in amazons}, ours


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_own_role_unless_it_needs_the_database_alone(name: str) -> None:
    alone = role_of(name) == SHARED_ROLE
    assert alone or role_of(name) == f"{logical_id(name)}Role"
    assert alone == ("Role" in properties(name)) == ("Policies" not in properties(name))
    assert alone == (attached(name)[1] == {"DatabaseAccess", "PasswordAccess"} and not statements(name))


def test_the_shared_role_allows_what_roles_of_their_own_would() -> None:
    """Compared with those that SAM makes, but that it traces only where tracing is on."""
    shared, own = (role(name)["ManagedPolicyArns"] for name in ("get_me", "search"))
    assert "Policies" not in role("get_me")
    assert role("get_me")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {
        "Service": "lambda.amazonaws.com"
    }
    assert len(shared) == 5
    assert attached("get_me")[0] == attached("search")[0]
    assert [one for one in own if one in shared] == shared[3:]
    assert [one["Fn::If"][0] for one in shared[1:3]] == ["Managed", "Traced"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_holds_no_wildcard(name: str) -> None:
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        assert not [action for action in many(statement["Action"]) if "*" in action]
        assert not [resource for resource in many(statement["Resource"]) if isinstance(resource, str)]
        for resource in many(statement["Resource"]):
            within = resource.get("Fn::Sub", "")
            assert "*" not in within.removesuffix("/tenants/*").removesuffix("/@connections/*"), within


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_role_holds_only_known_policies(name: str) -> None:
    foreign, shared = attached(name)
    assert foreign <= set(MANAGED_POLICIES)
    fed = {"record_dead_letter", "fetch_url", "ingest_file", "purge", "push_events"}
    assert ("AWSLambdaSQSQueueExecutionRole" in foreign) == (name in fed)
    assert ("DatabaseAccess" in shared) == (name not in ("list_methods", "migrate"))
    assert ("OwnerAccess" in shared) == ("OwnerPasswordAccess" in shared) == (name == "migrate")
    assert ("PasswordAccess" in shared) == (name != "list_methods")
    assert ("SecretAccess" in shared) == (name in set().union(*(SECRETS[one] for one in STORED)))
    assert ("ModelAccess" in shared) == (name in MODEL_USERS)
    assert ("PushAccess" in shared) == (name in ANNOUNCERS)
    assert shared <= SHARED_POLICIES


@pytest.mark.parametrize(
    ("policy", "action"),
    [
        ("DatabaseAccess", "rds-db:connect"),
        ("ModelAccess", ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]),
        ("OwnerAccess", "secretsmanager:GetSecretValue"),
        ("PushAccess", "sqs:SendMessage"),
        ("PasswordAccess", "secretsmanager:GetSecretValue"),
        ("OwnerPasswordAccess", "secretsmanager:GetSecretValue"),
        ("SecretAccess", "secretsmanager:GetSecretValue"),
    ],
)
def test_a_shared_policy_allows_one_thing(policy: str, action: str | list[str]) -> None:
    document = resources("AWS::IAM::ManagedPolicy")[policy]["PolicyDocument"]
    assert [statement["Action"] for statement in document["Statement"]] == [action]
    assert "*" not in str(document["Statement"][0]["Resource"])


def test_only_uploads_write_and_only_purge_deletes() -> None:
    def holders(action: str) -> set[str]:
        return {name for name in FUNCTIONS for entry in statements(name) if action in many(entry["Action"])}

    copies = {"v1_create_file_batch", "v1_create_vector_store", "v1_create_vector_store_file"}
    downloads = {"download_file", "v1_get_file_content"}
    assert holders("s3:PutObject") == {
        *copies,
        "v1_add_upload_part",
        "v1_complete_upload",
        "add_document",
        "add_documents",
        "create_upload",
        "fetch_url",
        "ingest_file",
        "mcp_exchange",
        "upload_file",
        "v1_create_file",
    }
    assert holders("s3:GetObject") == {
        *copies,
        *downloads,
        "v1_complete_upload",
        "fetch_url",
        "ingest_file",
        "retry_file",
        "retry_files",
        "sweep",
    }
    assert holders("s3:GetObjectVersion") == {*downloads, "ingest_file"}, "those that read what is pinned"
    assert holders("s3:DeleteObject") == holders("s3:DeleteObjectVersion") == {"purge"}
    assert holders("execute-api:ManageConnections") == {"push_events"}
    assert holders("sqs:SendMessage") == {
        "admin",
        "add_url",
        "delete_collection",
        "delete_file",
        "ingest_file",
        "mcp_exchange",
        "purge",
        "retry_dead_letter",
        "retry_dead_letters",
        "retry_file",
        "retry_files",
        "start_reembedding",
        "sweep",
        "v1_cancel_file_batch",
        "v1_cancel_upload",
        "v1_complete_upload",
        "v1_delete_file",
        "v1_delete_vector_store",
        "v1_delete_vector_store_file",
    }


def test_a_sweep_may_ask_every_queue_whether_it_is_empty() -> None:
    queues = set(resources("AWS::SQS::Queue")) - {"PushQueue"}  # no sweep rests while somebody watches
    asked = [entry for entry in statements("sweep") if entry["Action"] == "sqs:GetQueueAttributes"]
    assert {resource["Fn::GetAtt"][0] for resource in asked[0]["Resource"]} == queues


def test_every_environment_variable_is_a_setting() -> None:
    shared = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = [properties(name).get("Environment", {}).get("Variables", {}) for name in FUNCTIONS]
    names = {name for variables in [shared, *own] for name in variables}
    names -= {"AWS_LAMBDA_EXEC_WRAPPER"}  # which Lambda itself reads
    names -= {"DATABASE_REVISION", "CONFIGURATION"}  # by which functions wait for the migration, and change with it
    assert names <= {field.upper() for field in Settings.model_fields}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_goes_only_where_it_is_used(secret: str) -> None:
    assert secret not in template()["Globals"]["Function"]["Environment"]["Variables"]
    functions = resources("AWS::Serverless::Function")
    own = {name: functions[logical_id(name)].get("Environment", {}).get("Variables", {}) for name in FUNCTIONS}
    given = {name for name, variables in own.items() if secret in variables}
    assert given == SECRETS[secret]


PLAIN_SECRETS = (
    *("sk-live-4eC39HqLyjWDarjtT1zdp7dc", "root:Milvus", "postgresql+pg8000://ada:pw@db/modulo"),
    *("redis://:pw@cache:6379", "rediss://ada:pw@cache:6379", "https://ada:pw@models/v1", "https://models/v1?key=pw"),
    *('[{"kind": "anthropic", "model": "m", "api_key": "sk-1"}]', r'[{"kind": "anthropic", "api\u005fkey": "sk-1"}]'),
    '[{"kind": "openai", "api_key" :\n"sk-1", "model": "arn:aws:secretsmanager:x"}]',
)
NO_SECRETS = {
    *("EmbeddingModels", "RerankModel", "GeneratorModel", "OidcIssuer", "OidcAudience", "OidcJwksUrl"),
    *("OidcTenantClaim", "PublicUrl", "AllowedOrigins", "DatabaseCaFile"),
}
"""Parameters that no setting with a secret in it takes."""
WITH_SECRETS = {
    name.upper()
    for name, field in Settings.model_fields.items()
    if re.search("SecretStr|GeneratorChoice", str(field.annotation)) or name.startswith(("database_", "cache_"))
}
KEY = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf"


def parameters_in(value: Any) -> set[str]:
    """The parameters whose values a part of the translated template holds."""
    names = re.findall(r'"Ref": "(\w+)"|\$\{(\w+)\}', json.dumps(value))
    found: set[str] = {name for pair in names for name in pair} & template()["Parameters"].keys()
    return found


def takes(parameter: str, value: str) -> bool:
    described = template()["Parameters"][parameter]
    if "AllowedValues" in described:
        return value in map(str, described["AllowedValues"])
    if described["Type"] == "Number":
        return value.isdigit()
    return re.fullmatch(described.get("AllowedPattern", ".*"), value, re.DOTALL) is not None


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_variable_of_a_function_can_hold_a_secret(name: str) -> None:
    """Whatever the conditions: every branch of each value is looked at, as translated for each configuration."""
    functions = [one for one in deployed(name)["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    assert len(functions) == len(FUNCTIONS)
    for function in functions:
        for variable, value in function["Properties"]["Environment"]["Variables"].items():
            found = parameters_in(value)
            assert not found & NO_SECRETS or variable not in WITH_SECRETS - {"DATABASE_CA_FILE"}, variable
            for parameter in found - NO_SECRETS:
                assert not [one for one in PLAIN_SECRETS if takes(parameter, one)], (variable, parameter)


def test_what_has_no_secret_in_it_and_what_names_one_is_taken() -> None:
    assert {"EMBEDDING_API_KEY", "MILVUS_TOKEN", "GENERATOR_FALLBACKS", "DATABASE_URL", "CACHE_URL"} <= WITH_SECRETS
    for parameter in ("CacheUrl", "MilvusToken", "EmbeddingApiKey", "RerankApiKey", "GeneratorApiKey"):
        assert takes(parameter, KEY)
    assert takes("CacheUrl", "rediss://cache.example.org:6379/0")
    assert takes("DatabaseUrl", "postgresql+pg8000://ada@db.example.org:5432/modulo?sslmode=disable")
    assert takes("MilvusUri", "https://milvus.example.org:19530")
    assert takes(
        "GeneratorFallbacks", f'[{{"kind": "anthropic", "model": "m",\n "api_key": "{KEY}"}}, {{"kind": "bedrock"}}]'
    )


def test_a_deployment_fails_where_no_function_could_read_a_secret() -> None:
    """By the custom resource, which is told of every parameter that may name one."""
    told = template()["Resources"]["Migration"]["Properties"]
    variables = [
        one["Properties"]["Environment"]["Variables"]
        for one in translated()["Resources"].values()
        if one["Type"] == "AWS::Lambda::Function"
    ]
    naming = {name for name in parameters_in(variables) if takes(name, KEY)} - NO_SECRETS
    naming.add("GeneratorFallbacks")
    assert {one["Ref"] for one in told["Secrets"]} == naming - {"DatabaseSecret", "DatabaseOwnerSecret"}
    assert told["SecretArns"] == {"Ref": "SecretArns"}


def test_only_iam_opens_the_function_for_operators() -> None:
    """Nobody but AWS itself is given a permission on it, and it has no address."""
    made = translated()["Resources"].values()
    assert not [one for one in made if one["Type"] in ("AWS::Lambda::Permission", "AWS::Lambda::Url")]
    invoking = [one for one in made if "lambda:InvokeFunction" in json.dumps(one.get("Properties"))]
    trusted = [
        many(one["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]) for one in invoking
    ]
    assert {service for each in trusted for service in each} == {"apigateway.amazonaws.com", "scheduler.amazonaws.com"}
    assert not [one for one in invoking if re.search("(Admin|Migrate)", json.dumps(one))]
    assert "Events" not in properties("admin")


@pytest.mark.parametrize("api", ["Api", "V1Api", "McpApi"])
def test_a_gateway_invokes_the_functions_of_its_own_routes_and_no_others(api: str) -> None:
    resources = translated()["Resources"]
    role = resources[f"{api}Invocation"]["Properties"]
    (policy,) = role["Policies"]
    (entry,) = policy["PolicyDocument"]["Statement"]
    operations = [
        operation[INTEGRATION]
        for methods in resources[api]["Properties"]["Body"]["paths"].values()
        for operation in methods.values()
    ]
    assert entry["Action"] == "lambda:InvokeFunction"
    assert entry["Resource"] == [{"Ref": f"{name}Aliaslive"} for name in sorted({called(one) for one in operations})]
    assert {json.dumps(one["credentials"]) for one in operations} == {f'{{"Fn::GetAtt": ["{api}Invocation", "Arn"]}}'}
    longest = f"arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:{'x' * MAX_FUNCTION_NAME}:live"
    assert len(json.dumps(policy["PolicyDocument"])) + len(entry["Resource"]) * len(longest) <= MAX_INLINE_POLICIES


def test_a_sockets_message_is_answered_by_a_function_that_its_gateway_invokes() -> None:
    assert translated()["Resources"]["SocketsIntegration"]["Properties"]["CredentialsArn"] == {
        "Fn::GetAtt": ["ApiInvocation", "Arn"]
    }


def test_secrets_that_are_listed_may_be_read_and_no_others() -> None:
    policies = resources("AWS::IAM::ManagedPolicy")
    readable = {
        name: policies[name]["PolicyDocument"]["Statement"][0]["Resource"]
        for name in ("SecretAccess", "PasswordAccess", "OwnerPasswordAccess")
    }
    assert readable == {
        "SecretAccess": {"Ref": "SecretArns"},
        "PasswordAccess": {"Ref": "DatabaseSecret"},
        "OwnerPasswordAccess": {"Ref": "DatabaseOwnerSecret"},
    }


def test_a_key_of_ones_own_encrypts_all_that_is_kept() -> None:
    key, nothing = {"Ref": "KmsKey"}, {"Ref": "AWS::NoValue"}
    given = {"Fn::If": ["KeyGiven", key, nothing]}
    for name, queue in resources("AWS::SQS::Queue").items():
        assert queue["KmsMasterKeyId"] == given, name
        assert queue["SqsManagedSseEnabled"] == {"Fn::If": ["KeyGiven", nothing, True]}, name
    for name, logs in resources("AWS::Logs::LogGroup").items():
        assert logs["KmsKeyId"] == given, name
    (bucket,) = resources("AWS::S3::Bucket").values()
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["Fn::If"][1] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert template()["Globals"]["Function"]["KmsKeyArn"] == given
    data = template("infra/data.yaml")["Resources"]
    assert data["FunctionsSecret"]["Properties"]["KmsKeyId"] == given
    assert data["Cluster"]["Properties"]["MasterUserSecret"] == {"Fn::If": ["KeyGiven", {"KmsKeyId": key}, nothing]}
    assert template("infra/key.yaml")["Resources"]["Key"]["DeletionPolicy"] == "Retain"


def test_secrets_are_read_through_a_private_endpoint() -> None:
    endpoint = template("infra/network.yaml")["Resources"]["SecretsEndpoint"]["Properties"]
    assert endpoint["ServiceName"] == {"Fn::Sub": "com.amazonaws.${AWS::Region}.secretsmanager"}
    assert endpoint["PrivateDnsEnabled"] is True
