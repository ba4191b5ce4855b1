"""Queues, the bucket, the schedules and the API as the platform's rules want them."""

from typing import Any

import pytest

from modulo.settings import Settings
from modulo.usecases.push_events import LEASE
from tests.architecture.sources import FUNCTIONS, logical_id, properties, resources, template

QUEUES = {"ingest_file": "IngestQueue", "fetch_url": "FetchQueue", "purge": "PurgeQueue"}
API_SECONDS = 29
DLQ_SECONDS = 14 * 86_400


def event(name: str) -> dict[str, Any]:
    (found,) = properties(name)["Events"].values()
    return found["Properties"]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_waits_and_gives_up_as_lambda_asks(name: str) -> None:
    queues = resources("AWS::SQS::Queue")
    queue = queues[QUEUES[name]]
    assert event(name)["Queue"] == {"Fn::GetAtt": [QUEUES[name], "Arn"]}
    assert queue["VisibilityTimeout"] >= 6 * properties(name)["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == Settings.model_fields["ingest_attempts"].default
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert queues["DeadLetters"]["MessageRetentionPeriod"] == DLQ_SECONDS > queue["MessageRetentionPeriod"]


def test_what_was_given_up_is_buried() -> None:
    queue = resources("AWS::SQS::Queue")["DeadLetters"]
    assert event("bury")["Queue"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert queue["VisibilityTimeout"] >= 6 * properties("bury")["Timeout"]
    assert "RedrivePolicy" not in queue, "what cannot be recorded is tried again until it can"


def test_every_queue_is_encrypted_and_known() -> None:
    queues = resources("AWS::SQS::Queue")
    targets = {
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue
    }
    assert set(queues) == {*QUEUES.values(), "PushQueue"} | targets
    assert all(queue["SqsManagedSseEnabled"] for queue in queues.values())


@pytest.mark.parametrize("name", [*QUEUES, "push_events", "bury"])
def test_one_bad_message_fails_alone(name: str) -> None:
    assert event(name)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumConcurrency" in event(name)["ScalingConfig"]


def test_an_ingestion_outlives_no_lease() -> None:
    assert Settings.model_fields["ingest_lease_seconds"].default >= properties("ingest_file")["Timeout"]


def test_schedules() -> None:
    assert event("sweep")["ScheduleExpression"] == "rate(1 minute)"
    rest = template()["Parameters"]["SweepRestSeconds"]
    assert (rest["Default"], rest["MaxValue"]) == (0, Settings.model_fields["ingest_deadline_seconds"].default)
    assert event("reset_quotas")["ScheduleExpression"] == "cron(0 0 * * ? *)"
    assert event("reset_quotas")["ScheduleExpressionTimezone"] == "UTC"


def test_no_endpoint_outlives_the_api() -> None:
    for name in FUNCTIONS:
        if "Http" in properties(name).get("Events", {}):
            assert properties(name)["Timeout"] <= API_SECONDS, name


def test_the_bucket_is_private_and_tells_the_queue() -> None:
    bucket = resources("AWS::S3::Bucket")["Uploads"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (notification,) = bucket["NotificationConfiguration"]["QueueConfigurations"]
    assert notification["Queue"] == {"Fn::GetAtt": ["IngestQueue", "Arn"]}
    (rule,) = notification["Filter"]["S3Key"]["Rules"]
    assert rule == {"Name": "prefix", "Value": "tenants/"}


def test_the_queue_takes_messages_of_this_bucket_only() -> None:
    policy = resources("AWS::SQS::QueuePolicy")["IngestQueuePolicy"]["PolicyDocument"]
    allow = policy["Statement"][0]
    assert allow["Principal"] == {"Service": "s3.amazonaws.com"}
    assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    name = resources("AWS::S3::Bucket")["Uploads"]["BucketName"]["Fn::Sub"]
    arn = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert arn == {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{name}"}


@pytest.mark.parametrize(
    "policy",
    [
        "UploadsPolicy",
        "IngestQueuePolicy",
        "FetchQueuePolicy",
        "PurgeQueuePolicy",
        "PushQueuePolicy",
        "DeadLettersPolicy",
    ],
)
def test_plain_http_is_refused(policy: str) -> None:
    entries = template()["Resources"][policy]["Properties"]["PolicyDocument"]["Statement"]
    refusals = [entry.get("Fn::If", [None, entry])[1] for entry in entries][-1]
    assert refusals["Effect"] == "Deny"
    assert refusals["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_api_answers_problems_of_its_own() -> None:
    api = resources("AWS::Serverless::Api")["Api"]
    assert api["StageName"] == "api"
    assert api["BinaryMediaTypes"] == ["multipart~1form-data"]
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(api["MethodSettings"][0])
    for kind, answer in api["GatewayResponses"].items():
        body = answer["ResponseTemplates"]["application/json"]
        assert f'"status":{answer["StatusCode"]},' in body, kind
        assert '"type":"urn:modulo:problem:' in body, kind


def test_what_is_said_on_sockets_goes_to_the_function_of_the_events_and_into_no_log() -> None:
    parts = {name: found for name, found in template()["Resources"].items() if name.startswith("Sockets")}
    assert {found["Condition"] for found in parts.values()} == {"SocketsServed"}
    (integration,) = resources("AWS::ApiGatewayV2::Integration").values()
    assert "functions/${WatchFiles.Arn}/invocations" in integration["IntegrationUri"]["Fn::Sub"]
    routes = resources("AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for route in routes.values()} == {"$default", "$disconnect"}
    assert {route["Target"]["Fn::Sub"] for route in routes.values()} == {"integrations/${SocketsIntegration}"}
    (permission,) = resources("AWS::Lambda::Permission").values()
    assert permission["FunctionName"] == {"Ref": "WatchFiles"}
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Sockets}/api/*")
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert stage["AutoDeploy"] is True
    assert set(parts["SocketsStage"]["DependsOn"]) == set(routes)
    settings = stage["DefaultRouteSettings"]
    assert settings["DataTraceEnabled"] is False
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(settings)
    assert "body" not in stage["AccessLogSettings"]["Format"]


def test_who_watches_is_told_by_a_queue_that_gives_nothing_up() -> None:
    queue = resources("AWS::SQS::Queue")["PushQueue"]
    assert event("push_events")["Queue"] == {"Fn::GetAtt": ["PushQueue", "Arn"]}
    assert queue["VisibilityTimeout"] >= 6 * properties("push_events")["Timeout"]
    assert "RedrivePolicy" not in queue, "the sweep has told what a message was about"
    assert queue["MessageRetentionPeriod"] > queue["VisibilityTimeout"]
    assert properties("push_events")["Timeout"] <= LEASE.total_seconds(), "nobody says anything without a lease"


def test_alarms_know_every_function() -> None:
    alarms = template("infra/observability.yaml")["Resources"]
    assert alarms["Fn::ForEach::Failures"][1] == FUNCTIONS
    endpoints = {name for name in FUNCTIONS if "Http" in properties(name).get("Events", {})}
    assert set(alarms["Fn::ForEach::SlowEndpoints"][1]) == endpoints - {"search"}


def test_logical_ids_are_the_names() -> None:
    assert logical_id("create_collection") == "CreateCollection"
