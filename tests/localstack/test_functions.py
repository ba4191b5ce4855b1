"""Functions as processes on LocalStack, as someone meets them who deploys there what runs on AWS."""

import json
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.localstack.world import Cloud

MANY_WAYS = """
import os, sys, time
print("starting")
def handler(event, context):
    print("asked to", event)
    match event:
        case "raise": raise LookupError("nothing here")
        case "exit": os._exit(3)
        case "leave": sys.exit()
        case "die": os.kill(os.getpid(), 9)
        case "sleep": time.sleep(60)
        case "swell": held = b"x" * 400_000_000; time.sleep(5)
        case "gush": return "x" * 7_000_000
        case "pid": return os.getpid()
        case _: return {"id": context.aws_request_id, "left": context.get_remaining_time_in_millis()}
"""


@pytest.fixture(scope="module")
def function(localstack: Cloud) -> str:
    return localstack.create(MANY_WAYS, Timeout=1)


class TestAnswers:
    def test_a_function_gets_its_event_and_context_and_stays_warm(self, localstack: Cloud, function: str) -> None:
        first = localstack.invoke(function, "pid")
        second = localstack.invoke(function, "pid")
        third = localstack.invoke(function, {"anything": "ü"})
        assert first.error is None
        assert first.value == second.value
        assert "Init Duration" in first.log
        assert "Init Duration" not in second.log
        assert 0 < third.value["left"] <= 1000
        assert third.log.splitlines()[:2] == [
            f"START RequestId: {third.value['id']} Version: $LATEST",
            "asked to {'anything': 'ü'}",
        ]

    def test_an_exception_is_the_function_s_own_error(self, localstack: Cloud, function: str) -> None:
        reply = localstack.invoke(function, "raise")
        assert reply.error == "Unhandled"
        assert (reply.value["errorType"], reply.value["errorMessage"]) == ("LookupError", "nothing here")
        assert 'raise LookupError("nothing here")' in reply.value["stackTrace"][0]
        assert "[ERROR] LookupError: nothing here" in reply.log

    @pytest.mark.serial
    @pytest.mark.parametrize(
        ("event", "kind", "message"),  # the message is a pattern: a time-out tells the seconds that passed
        [
            ("exit", "Runtime.ExitError", r"Runtime exited with error: exit status 3"),
            ("leave", "Runtime.ExitError", r"Runtime exited without providing a reason"),
            ("die", "Runtime.ExitError", r"Runtime exited with error: signal: killed"),
            ("sleep", "Sandbox.Timedout", r"Task timed out after [1-4]\.\d\d seconds"),
            ("swell", "Runtime.OutOfMemory", r"Runtime exited with error: signal: killed"),
            ("gush", "Function.ResponseSizeTooLarge", r"\(7000002 bytes\) exceeded maximum allowed payload size"),
        ],
    )
    def test_the_end_of_a_process_is_reported_as_on_aws_and_the_next_one_starts(
        self, localstack: Cloud, function: str, event: str, kind: str, message: str
    ) -> None:
        before = localstack.invoke(function, "pid").value
        began = time.monotonic()
        reply = localstack.invoke(function, event)
        assert time.monotonic() - began < 20
        assert reply.error == "Unhandled"
        assert reply.value["errorType"] == kind
        assert re.search(message, reply.value["errorMessage"])
        assert re.search(message, reply.log)
        assert not psutil.pid_exists(before)
        after = localstack.invoke(function, "pid")
        assert after.error is None
        assert after.value != before

    @pytest.mark.parametrize(
        ("code", "kind", "message"),
        [
            ("import nowhere", "Runtime.ImportModuleError", "No module named 'nowhere'"),
            ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
            ("1 / 0", "ZeroDivisionError", "division by zero"),
            ("other = 1", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
            ("import os; print('so far'); os._exit(7)", "Runtime.ExitError", "exit status 7"),
        ],
    )
    def test_a_start_that_fails_is_the_answer_each_time(
        self, localstack: Cloud, code: str, kind: str, message: str
    ) -> None:
        name = localstack.create(code)
        for reply in (localstack.invoke(name), localstack.invoke(name)):
            assert reply.error == "Unhandled"
            assert reply.value["errorType"] == kind
            assert message in reply.value["errorMessage"]
            assert message in reply.log

    @pytest.mark.parametrize("group", [None, "/modulo/functions"])
    def test_the_log_is_kept_in_the_function_s_group(self, localstack: Cloud, group: str | None) -> None:
        name = localstack.create(MANY_WAYS, **({"LoggingConfig": {"LogGroup": group}} if group else {}))
        request = localstack.invoke(name).value["id"]
        logs, lines = localstack.client("logs"), []
        give_up = time.monotonic() + 60
        while not any("REPORT" in line and request in line for line in lines) and time.monotonic() < give_up:
            with suppress(logs.exceptions.ResourceNotFoundException):
                events = logs.filter_log_events(logGroupName=group or f"/aws/lambda/{name}")["events"]
                lines = [event["message"] for event in events]
        assert any("REPORT" in line and request in line for line in lines)
        assert "asked to None\n" in lines


class TestSurroundings:
    CODE = """
import os
def handler(event, context):
    import boto3
    account = boto3.client("sts").get_caller_identity()["Account"]
    try:
        import pydantic
        strangers = True
    except ImportError:
        strangers = False
    return {"account": account, "strangers": strangers, "directory": os.getcwd(), **os.environ}
"""

    def test_it_finds_its_variables_and_the_cloud_and_nothing_of_ours(
        self, localstack: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = localstack.create(self.CODE, Environment={"Variables": {"MINE": "1", "CA": "/opt/ca.pem"}})
        found = localstack.invoke(name).value
        assert found["account"] == "000000000000"
        assert found["strangers"] is False
        assert found["MINE"] == "1"
        assert found["CA"] != "/opt/ca.pem"
        assert found["AWS_LAMBDA_FUNCTION_NAME"] == name
        assert found["AWS_ENDPOINT_URL"] == localstack.environment["AWS_ENDPOINT_URL"]
        assert found["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
        assert found["directory"] == found["LAMBDA_TASK_ROOT"]
        assert Path.home() not in Path(found["HOME"]).parents
        assert not {key for key in found if key.startswith(("MODULO", "LOCALSTACK_RUNTIME", "VIRTUAL_ENV"))}

    def test_layers_lie_over_each_other(self, localstack: Cloud) -> None:
        code = """
import pathlib, both.first, both.second, os
def handler(event, context):
    tool = pathlib.Path(os.environ["TOOL"]).read_text()
    return [both.first.name, both.second.name, tool]
"""
        lower = {"python/both/__init__.py": "", "python/both/first.py": "name = 'lower'", "tool.txt": "lower"}
        upper = {"python/both/second.py": "name = 'upper'", "tool.txt": "upper"}
        name = localstack.create(
            code,
            Layers=[localstack.layer(lower), localstack.layer(upper)],
            Environment={"Variables": {"TOOL": "/opt/tool.txt"}},
        )
        assert localstack.invoke(name).value == ["lower", "upper", "upper"]

    def test_another_runtime_is_refused_with_a_reason(self, localstack: Cloud) -> None:
        name = localstack.create("def handler(event, context): return 1", Runtime="python3.13")
        state = localstack.client("lambda").get_function_configuration(FunctionName=name)
        assert state["State"] == "Failed"
        assert "not python3.13" in state["StateReason"]


class TestConcurrency:
    @pytest.mark.serial
    def test_five_at_once_run_side_by_side_and_serve_the_next_five(self, localstack: Cloud) -> None:
        name = localstack.create("import os, time\ndef handler(event, context): time.sleep(1); return os.getpid()")
        with ThreadPoolExecutor(5) as pool:
            first = {reply.value for reply in pool.map(lambda _: localstack.invoke(name), range(5))}
            began = time.monotonic()
            second = {reply.value for reply in pool.map(lambda _: localstack.invoke(name), range(5))}
            assert time.monotonic() - began < 4.5
        assert len(first) == 5
        assert second == first

    def test_an_update_lets_what_is_under_way_finish(self, localstack: Cloud) -> None:
        code = "import time\ndef handler(event, context): time.sleep(event); return {}"
        name = localstack.create(code.format(1))
        localstack.invoke(name, 0)
        client = localstack.client("lambda")
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(localstack.invoke, name, 2)
            time.sleep(0.3)
            client.update_function_configuration(FunctionName=name, Timeout=6)
            give_up = time.monotonic() + 60
            while client.get_function_configuration(FunctionName=name)["LastUpdateStatus"] != "Successful":
                assert time.monotonic() < give_up
                time.sleep(0.05)
            assert localstack.invoke(name, 0).value == 1
            assert under_way.result().value == 1


class TestHotReload:
    def test_edits_of_code_and_layers_are_live_on_the_next_invocation(self, localstack: Cloud, tmp_path: Path) -> None:
        code, layer = tmp_path / "function", tmp_path / "layer"
        (layer / "python/shared").mkdir(parents=True)
        code.mkdir()
        text = "import os, shared\ndef handler(event, context): return [{}, shared.name, os.getpid()]"
        (layer / "python/shared/__init__.py").write_text("name = 'one'")
        (code / "app.py").write_text(text.format(1))
        name = localstack.create(code, Layers=[localstack.layer(layer)])
        first = localstack.invoke(name).value
        assert first[:2] == [1, "one"]
        assert localstack.invoke(name).value == first
        (code / "app.py").write_text(text.format(2))
        assert localstack.invoke(name).value[:2] == [2, "one"]
        (layer / "python/shared/__init__.py").write_text("name = 'two'")
        assert localstack.invoke(name).value[:2] == [2, "two"]
        (layer / "python/added.py").write_text("name = 'three'")
        (code / "app.py").write_text("import added\ndef handler(event, context): return added.name")
        assert localstack.invoke(name).value == "three"
        assert not list(tmp_path.rglob("__pycache__"))

    def test_a_broken_edit_is_reported_and_its_repair_is_live(self, localstack: Cloud, tmp_path: Path) -> None:
        (tmp_path / "app.py").write_text("def handler(event, context): return 1")
        name = localstack.create(tmp_path)
        assert localstack.invoke(name).value == 1
        (tmp_path / "app.py").write_text("def handler(event, context) return 1")
        assert localstack.invoke(name).value["errorType"] == "Runtime.UserCodeSyntaxError"
        (tmp_path / "app.py").write_text("def handler(event, context): return 2")
        assert localstack.invoke(name).value == 2


class TestQueues:
    def test_only_the_failed_messages_of_a_batch_come_again_and_end_in_the_dead_letter_queue(
        self, localstack: Cloud
    ) -> None:
        code = """
import boto3, os
sqs = boto3.client("sqs")
def handler(event, context):
    failed = []
    for record in event["Records"]:
        sqs.send_message(QueueUrl=os.environ["SEEN"], MessageBody=record["body"])
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""
        dead, seen = localstack.queue(), localstack.queue()
        redrive = json.dumps({"deadLetterTargetArn": localstack.arn(dead), "maxReceiveCount": 2})
        source = localstack.queue(VisibilityTimeout="1", RedrivePolicy=redrive)
        name = localstack.create(code, Environment={"Variables": {"SEEN": seen}})
        for body in ("good", "poison", "fine"):
            localstack.client("sqs").send_message(QueueUrl=source, MessageBody=body)
        mapping = localstack.client("lambda").create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=localstack.arn(source),
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )
        assert localstack.receive(dead) == ["poison"]
        assert sorted(localstack.receive(seen, 4)) == ["fine", "good", "poison", "poison"]
        assert localstack.receive(seen, within=1) == []
        localstack.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


class TestProcesses:
    def test_everything_listens_on_this_machine_only(self, localstack: Cloud, function: str) -> None:
        localstack.invoke(function)
        places = {
            connection.laddr.ip
            for process in (localstack.process, *localstack.process.children(recursive=True))
            for connection in process.net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert places == {"127.0.0.1"}

    def test_functions_end_with_localstack_even_when_it_is_killed(self, start: Callable[[], Cloud]) -> None:
        doomed = start()
        name = doomed.create(MANY_WAYS)
        pid = doomed.invoke(name, "pid").value
        assert psutil.pid_exists(pid)
        doomed.process.send_signal(signal.SIGKILL)
        give_up = time.monotonic() + 60
        while psutil.pid_exists(pid) and time.monotonic() < give_up:
            time.sleep(0.05)
        assert not psutil.pid_exists(pid)
