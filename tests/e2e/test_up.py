"""`modulo up`, as a newcomer meets it: one command, cited answers, nothing left behind."""

import itertools
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from modulo.cli.stack.process import free_port

PATIENCE_SECONDS = 180
LAST_LINE = "Ctrl-C stops everything"


class Up:
    """A running `modulo up`."""

    def __init__(self, data: Path, port: int) -> None:
        self.output_file = data.parent / f"up-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "modulo.cli.main", "up", "--data", str(data), "--port", str(port)]
        with self.output_file.open("wb") as output:
            self._popen = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=data.parent)
        self.processes: list[psutil.Process] = []

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    def until_ready(self) -> "Up":
        give_up = time.monotonic() + PATIENCE_SECONDS
        while LAST_LINE not in self.output:
            assert self._popen.poll() is None, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.1)
        self.remember()
        return self

    def remember(self) -> None:
        self.processes = psutil.Process(self._popen.pid).children(recursive=True)

    @property
    def key(self) -> str:
        return re.search(r"API key +(\S+)", self.output)[1]

    def ask(self) -> dict[str, object]:
        """Do what the printed curl says."""
        words = shlex.split(self.output[self.output.index("curl") : self.output.index(LAST_LINE)])
        url = next(word for word in words if word.startswith("http"))
        values = {flag: [b for a, b in itertools.pairwise(words) if a == flag] for flag in ("-H", "-d")}
        headers = dict(header.split(": ", 1) for header in values["-H"])
        response = httpx.post(url, headers=headers, content=values["-d"][0], timeout=60)
        assert response.status_code == 200, response.text
        return response.json()

    def child(self, argument: str) -> psutil.Process:
        return next(process for process in self.processes if argument in process.cmdline())

    def stop(self, number: signal.Signals) -> int:
        self._popen.send_signal(number)  # does nothing once it has ended
        return self.end()

    def end(self) -> int:
        return self._popen.wait(60)

    def left_behind(self) -> list[psutil.Process]:
        return [p for p in self.processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def first(data: Path) -> Iterator[Up]:
    """The first start, on a port that is taken."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        up = Up(data, taken.getsockname()[1])
        try:
            up.taken = taken.getsockname()[1]
            yield up.until_ready()
        finally:
            up.stop(signal.SIGINT)


class TestFirstStart:
    def test_the_printed_curl_gets_an_answer_that_cites_a_sample(self, first: Up) -> None:
        found = first.ask()
        assert "16 days" in found["answer"]
        assert found["citations"][0]["title"]
        names = [document["document_name"] for document in found["documents"]]
        assert "aerie-3-support.html" in names, json.dumps(found, indent=1)

    def test_a_taken_port_is_told_and_passed_over(self, first: Up) -> None:
        assert f"Port {first.taken} is taken: using" in first.output

    def test_the_output_is_plain_where_nobody_watches(self, first: Up) -> None:
        assert "\x1b" not in first.output
        assert "\r" not in first.output

    def test_everything_listens_on_this_machine_only(self, first: Up) -> None:
        listening = [c.laddr.ip for p in first.processes for c in p.net_connections() if c.status == "LISTEN"]
        assert len(listening) == 6
        assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}

    def test_a_second_one_on_the_same_data_says_so_and_disturbs_nothing(self, first: Up, data: Path) -> None:
        second = Up(data, free_port())
        assert second.end() == 1
        assert "running" in second.output
        assert re.search(r"process \d+ at http://127\.0\.0\.1:\d+/api", second.output)
        assert first.ask()["answer"]

    def test_secrets_are_for_their_owner_alone(self, first: Up, data: Path) -> None:
        secrets = [data / "demo.key", data / "postgres" / "password", data / "valkey" / "password"]
        assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


class TestLaterStart:
    def test_it_keeps_the_key_and_the_answers_and_stops_on_ctrl_c(self, first: Up, data: Path) -> None:
        key, answer = first.key, first.ask()["answer"]
        assert first.stop(signal.SIGINT) == 0
        assert first.left_behind() == []
        assert first.output.endswith("Stopped.\n")

        later = Up(data, free_port()).until_ready()
        try:
            assert later.key == key
            assert "samples" not in later.output.partition("Modulo is ready")[0]
            assert later.ask()["answer"] == answer
        finally:
            code = later.stop(signal.SIGTERM)
        assert code == 0
        assert later.left_behind() == []

    def test_when_a_process_dies_it_is_named_and_everything_stops(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        later = Up(data, free_port()).until_ready()
        later.child("worker").kill()
        assert later.end() == 1
        assert "worker ended on SIGKILL" in later.output
        assert "worker.log" in later.output
        assert later.left_behind() == []

    def test_when_up_itself_is_killed_everything_stops_too(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        later = Up(data, free_port()).until_ready()
        later.stop(signal.SIGKILL)
        psutil.wait_procs(later.processes, timeout=20)
        assert later.left_behind() == []

    def test_a_signal_during_the_start_stops_what_has_started(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        later = Up(data, free_port())
        while "ready after" not in later.output:
            time.sleep(0.01)
        later.remember()
        assert later.stop(signal.SIGINT) == 0
        assert later.left_behind() == []
