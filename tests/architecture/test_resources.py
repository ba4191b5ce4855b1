"""Queues, the bucket, the schedules and the API as the platform's rules want them."""

import json
import os
import re
from typing import Any

import pytest

from modulo.adapters.aws.emf_metrics import NAMESPACE, STACK
from modulo.cli.deploy import LOCAL_PARAMETERS
from modulo.settings import Settings
from modulo.usecases.ingest_file.lease import MAX_PART_SECONDS, RENEWALS
from modulo.usecases.push_events import LEASE_DURATION
from tests.architecture.sources import (
    FUNCTIONS,
    INTEGRATION,
    ROOT,
    api_routes,
    deployed_name,
    logical_id,
    properties,
    resources,
    template,
    translated,
)
from tests.architecture.test_deployments import decided
from tests.architecture.test_functions import GATEWAYS

QUEUES = {"ingest_file": "IngestQueue", "fetch_url": "FetchQueue", "purge": "PurgeQueue"}
API_SECONDS = 29
STREAM_SECONDS = 900
"""For which API Gateway passes on a stream."""
STREAMING = {
    "stream_conversation": ("Api", "/conversations/{conversation_id}/messages/stream"),
    "stream_search": ("Api", "/search/stream"),
    "v1_create_chat_completion": ("V1Api", "/chat/completions"),
    "v1_create_response": ("V1Api", "/responses"),
}
"""Functions whose answers are streamed, with their API and path."""
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
    assert event("record_dead_letter")["Queue"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    assert queue["VisibilityTimeout"] >= 6 * properties("record_dead_letter")["Timeout"]
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


@pytest.mark.parametrize("name", [*QUEUES, "push_events", "record_dead_letter"])
def test_one_bad_message_fails_alone(name: str) -> None:
    assert event(name)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumConcurrency" in event(name)["ScalingConfig"]


def test_the_file_of_a_worker_that_died_is_soon_taken_up() -> None:
    """Leases are short, as they are renewed while a worker lives; they outlast two renewals that fail."""
    assert 60 <= Settings.model_fields["ingest_lease_seconds"].default <= 90
    assert RENEWALS >= 3
    assert properties("ingest_file")["Timeout"] <= MAX_PART_SECONDS


def test_schedules() -> None:
    assert event("sweep")["ScheduleExpression"] == "rate(1 minute)"
    rest = template()["Parameters"]["SweepRestSeconds"]
    assert (rest["Default"], rest["MaxValue"]) == (0, Settings.model_fields["ingest_deadline_seconds"].default)
    assert event("reset_quotas")["ScheduleExpression"] == "cron(0 0 * * ? *)"
    assert event("reset_quotas")["ScheduleExpressionTimezone"] == "UTC"


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


def test_each_door_has_a_rest_api_whose_stage_is_its_prefix() -> None:
    apis = resources("AWS::Serverless::Api")
    assert {name: api["StageName"] for name, api in apis.items()} == {"Api": "api", "V1Api": "v1", "McpApi": "mcp"}
    own, openai = (apis[name] for name in ("Api", "V1Api"))
    alike = ("EndpointConfiguration", "BinaryMediaTypes", "AccessLogSetting", "MethodSettings")
    assert [own[name] for name in alike] == [openai[name] for name in alike]
    assert own["GatewayResponses"].keys() == openai["GatewayResponses"].keys()
    for kind, answer in openai["GatewayResponses"].items():
        assert answer["StatusCode"] == own["GatewayResponses"][kind]["StatusCode"]
        error = json.loads(answer["ResponseTemplates"]["application/json"])["error"]
        assert set(error) == {"message", "type", "param", "code"}, kind
        assert (error["type"] == "server_error") == (answer["StatusCode"] >= 500), kind


def test_what_is_said_on_sockets_goes_to_the_function_of_the_events_and_into_no_log() -> None:
    parts = {name: found for name, found in template()["Resources"].items() if name.startswith("Sockets")}
    assert {found["Condition"] for found in parts.values()} == {"SocketsServed"}
    (integration,) = resources("AWS::ApiGatewayV2::Integration").values()
    assert "functions/${WatchFilesAliaslive}/invocations" in integration["IntegrationUri"]["Fn::Sub"]
    routes = resources("AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for route in routes.values()} == {"$default", "$disconnect"}
    assert {route["Target"]["Fn::Sub"] for route in routes.values()} == {"integrations/${SocketsIntegration}"}
    (stage,) = resources("AWS::ApiGatewayV2::Stage").values()
    assert stage["AutoDeploy"] is True
    assert set(parts["SocketsStage"]["DependsOn"]) == set(routes)
    settings = stage["DefaultRouteSettings"]
    assert settings["DataTraceEnabled"] is False
    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= set(settings)
    assert "body" not in stage["AccessLogSettings"]["Fn::If"][1]["Format"]


def test_who_watches_is_told_by_a_queue_that_gives_nothing_up() -> None:
    queue = resources("AWS::SQS::Queue")["PushQueue"]
    assert event("push_events")["Queue"] == {"Fn::GetAtt": ["PushQueue", "Arn"]}
    assert queue["VisibilityTimeout"] >= 6 * properties("push_events")["Timeout"]
    assert "RedrivePolicy" not in queue, "the sweep has told what a message was about"
    assert queue["MessageRetentionPeriod"] > queue["VisibilityTimeout"]
    assert properties("push_events")["Timeout"] <= LEASE_DURATION.total_seconds(), (
        "nobody says anything without a lease"
    )


def test_alarms_know_every_function() -> None:
    alarms = template("infra/observability.yaml")["Resources"]
    assert alarms["Fn::ForEach::Failures"][1] == [deployed_name(name) for name in FUNCTIONS]
    endpoints = {name for name in FUNCTIONS if api_routes(name)} - GATEWAYS
    slow = endpoints - {"ask_conversation", "search", *STREAMING}
    assert set(alarms["Fn::ForEach::SlowEndpoints"][1]) == {deployed_name(name) for name in slow}


def test_alarms_and_dashboards_see_the_metrics_of_their_own_stack_alone() -> None:
    stack = template()["Globals"]["Function"]["Environment"]["Variables"]["METRICS_STACK"]
    assert stack == {"Ref": "AWS::StackName"}
    assert template()["Resources"]["Observability"]["Properties"]["Parameters"]["Prefix"] == stack
    observed = template("infra/observability.yaml")["Resources"]
    alarms = [each["Properties"] for each in observed.values() if isinstance(each, dict) and "Properties" in each]
    ours = [alarm for alarm in alarms if alarm.get("Namespace") == NAMESPACE]
    assert [alarm["Dimensions"][0] for alarm in ours] == [{"Name": STACK, "Value": {"Ref": "Prefix"}}] * len(ours)
    assert ours
    body = observed["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]]
    searches = [
        entry["expression"] for metric in shown for entry in metric if isinstance(entry, dict) and "expression" in entry
    ]
    assert len(searches) == 4
    for expression in searches:
        dimensions = re.search(r"{Modulo,([a-z,]+)}", expression)
        assert dimensions
        assert STACK in dimensions[1].split(",")
        assert f'{STACK}="${{Prefix}}"' in expression
    named = [metric for metric in shown if metric[0] == NAMESPACE]
    assert len(named) == 2
    assert all(metric[2:4] == [STACK, "${Prefix}"] for metric in named)
    fed = [alarm for alarm in alarms if alarm.get("Namespace") not in (None, NAMESPACE)]
    assert all(alarm["Dimensions"] for alarm in fed)
    queries = [query for alarm in alarms for query in alarm.get("Metrics", []) if "MetricStat" in query]
    whole = [one for query in queries if not (one := query["MetricStat"]["Metric"]).get("Dimensions")]
    assert [metric["MetricName"] for metric in whole] == ["ClaimedAccountConcurrency"], "the account's"


def test_logical_ids_are_the_names() -> None:
    assert logical_id("create_collection") == "CreateCollection"


def test_the_gateway_streams_streamed_answers_and_no_others() -> None:
    """By default; a local cloud, which cannot, is told so by a parameter."""
    found = {
        (api, path): methods["post"][INTEGRATION]
        for api in ("Api", "V1Api")
        for path, methods in translated()["Resources"][api]["Properties"]["Body"]["paths"].items()
        for method in methods.values()
        if "response-streaming-invocations" in str(method[INTEGRATION]["uri"])
    }
    assert found.keys() == set(STREAMING.values())
    for name, route in STREAMING.items():
        for key, one in (("uri", "/invocations"), ("responseTransferMode", ""), ("timeoutInMillis", "")):
            condition, _, otherwise = found[route][key]["Fn::If"]
            assert condition == "Streams"
            assert otherwise == {"Ref": "AWS::NoValue"} or otherwise["Fn::Sub"].endswith(one)
        streamed = decided(found[route], {"Streams": True}, {})
        assert streamed["responseTransferMode"] == "STREAM"
        assert streamed["uri"]["Fn::Sub"].endswith("/response-streaming-invocations")
        assert streamed["timeoutInMillis"] >= 1000 * properties(name)["Timeout"], "it would end at 29 seconds"
        variables = properties(name)["Environment"]["Variables"]
        assert variables["AWS_LAMBDA_EXEC_WRAPPER"]["Fn::If"][1] == "/opt/stream_responses"
        assert int(variables["STREAM_SECONDS"]["Fn::If"][1]) < properties(name)["Timeout"] <= STREAM_SECONDS
    assert os.access(ROOT / "layers" / "core" / "stream_responses", os.X_OK)
    assert LOCAL_PARAMETERS["StreamTransferMode"] == "BUFFERED"
