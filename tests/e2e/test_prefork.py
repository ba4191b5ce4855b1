"""`modulo serve` and `modulo worker` as processes, stopped by signals."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import httpx
import pytest

from modulo.cli.stack.process import free_port
from tests.otlp_collector import collecting

PATIENCE = 60.0
SLOW = """
import time
from pathlib import Path
from modulo.runtime.queue import queue_handler

def work(number):
    here = Path({folder!r})
    (here / f"begun-{{number}}").touch()
    while not (here / "go-on").exists():
        time.sleep(0.02)
    (here / f"done-{{number}}").touch()

handler = queue_handler(lambda message: [message["number"]], work, lambda s: s.purges)
"""


@contextmanager
def modulo(*arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A `modulo` command, ended at the end."""
    command = [sys.executable, "-m", "modulo.cli.main", *arguments]
    started = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


TOKEN = "a-token-of-more-than-thirty-two-characters"


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def children(process: int) -> set[int]:
    return {int(found) for found in Path(f"/proc/{process}/task/{process}/children").read_text().split()}


def requests_counted(port: int) -> float:
    """The sum of all processes' requests to /api/health, or -1 where the server does not answer."""
    try:
        headers = {"authorization": f"Bearer {TOKEN}"}
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", headers=headers, trust_env=False, timeout=60).text
    except httpx.TransportError:
        return -1
    return sum(float(value) for value in re.findall(r'rag_requests_total\{endpoint="/health".* (\S+)', text))


def ask(port: int, number: int) -> None:
    for _ in range(number):
        answer = httpx.get(f"http://127.0.0.1:{port}/api/health?probe=live", trust_env=False, timeout=60)
        assert answer.status_code == 200


def test_processes_share_a_port_and_their_metrics(tmp_path: Path) -> None:
    port = free_port()
    environment = {"METRICS": "prometheus", "METRICS_TOKEN": TOKEN, "TMPDIR": str(tmp_path), "WEB_CONCURRENCY": "3"}
    with modulo("serve", "--port", str(port), environment=environment) as server:
        until(lambda: requests_counted(port) == 0)
        before = children(server.pid)
        assert len(before) == 3
        ask(port, 20)
        assert requests_counted(port) == 20
        with modulo("serve", "--port", str(port), environment=environment) as second:
            output, _ = second.communicate(timeout=PATIENCE)
            assert (second.returncode, "in use" in output) == (1, True)
        time.sleep(5.5)  # one that ends sooner after its start is not replaced
        os.kill(min(before), signal.SIGKILL)
        until(lambda: len(children(server.pid) - before) == 1)
        until(lambda: requests_counted(port) == 20)
        ask(port, 10)
        assert requests_counted(port) == 30, "what the dead one counted stays counted"
        server.send_signal(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
    assert list(tmp_path.iterdir()) == [], "no file of the metrics is left"


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    port = free_port()
    with modulo("serve", "--port", str(port), "--workers", "2", environment={"TMPDIR": str(tmp_path)}) as server:
        until(lambda: requests_counted(port) == 0)
        server.kill()
    until(lambda: requests_counted(port) == -1)


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("2", signal.SIGINT)])
def test_each_process_sends_its_spans_and_the_last_of_them_at_its_end(
    tmp_path: Path, workers: str, number: signal.Signals
) -> None:
    port = free_port()
    with collecting() as collector:
        environment = {"TMPDIR": str(tmp_path), "METRICS_TOKEN": TOKEN, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with modulo("serve", "--port", str(port), "--workers", workers, environment=environment) as server:
            until(lambda: requests_counted(port) == 0)
            ask(port, 20)
            server.send_signal(number)
            assert server.wait(PATIENCE) == 0
        assert [span.name for span in collector.spans if span.name != "GET /metrics"] == ["GET /health"] * 20


BROKEN = """
import sys
from modulo.cli.prefork import PreforkServer, WorkerFailed
try:
    PreforkServer("127.0.0.1", 0, 2, lambda listening: sys.exit(3), on_exit=print).run(10)
except WorkerFailed as error:
    sys.exit(error.detail)
"""


def test_one_that_cannot_serve_ends_all() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (1, "A server process exited right after its start, with code 3.\n")


@pytest.fixture
def queue_url(cloud: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in cloud.items():
        monkeypatch.setenv(name, value)
    made = boto3.client("sqs").create_queue(QueueName=f"slow-{uuid4()}", Attributes={"VisibilityTimeout": "600"})
    return str(made["QueueUrl"])


def left(queue_url: str) -> int:
    """How many messages can be received at once."""
    answer = boto3.client("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    return len(answer.get("Messages", []))


@pytest.mark.parametrize("finishes", [True, False])
def test_a_stopped_worker_finishes_its_messages_or_returns_them(
    queue_url: str, valkey: dict[str, str], tmp_path: Path, *, finishes: bool
) -> None:
    folder = tmp_path / "functions" / "purge"
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(SLOW.format(folder=str(tmp_path)))
    sqs = boto3.client("sqs")
    for number in range(3):
        sqs.send_message(QueueUrl=queue_url, MessageBody=f'{{"number": {number}}}')
    environment = {**valkey, "MODULO_FUNCTIONS": str(folder.parent), "PURGE_QUEUE_URL": queue_url}
    grace = "60" if finishes else "0.2"
    with modulo("worker", "purge", "--concurrency", "2", "--grace", grace, environment=environment) as worker:
        until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        worker.terminate()
        if finishes:
            (tmp_path / "go-on").touch()
        assert worker.wait(PATIENCE) == 0
    assert len(list(tmp_path.glob("begun-*"))) == 2, "the third was left to others"
    assert len(list(tmp_path.glob("done-*"))) == (2 if finishes else 0)
    assert left(queue_url) == (1 if finishes else 3)
