"""`modulo up`, as a newcomer meets it: one command, cited answers, nothing left behind."""

import itertools
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from modulo.cli.stack.process import free_port
from modulo_client import Modulo

PATIENCE_SECONDS = 180
LAST_LINE = "Ctrl-C stops everything"


class Up:
    """A running `modulo up`."""

    def __init__(self, data: Path, port: int, *options: str) -> None:
        self.output_file = data.parent / f"up-{time.monotonic_ns()}.txt"
        command = [sys.executable, "-m", "modulo.cli.main", "up", "--data", str(data), "--port", str(port), *options]
        with self.output_file.open("wb") as output:
            self._popen = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=data.parent)
        self.processes: list[psutil.Process] = []

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    def until_ready(self) -> "Up":
        self.until_it_says(LAST_LINE)
        self.remember()
        return self

    def until_it_says(self, words: str) -> None:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while words not in self.output:
            assert self.is_running, self.output
            assert time.monotonic() < give_up, self.output
            time.sleep(0.02)

    def remember(self) -> None:
        self.processes = psutil.Process(self._popen.pid).children(recursive=True)

    @property
    def key(self) -> str:
        return re.search(r"API key +(\S+)", self.output)[1]

    @property
    def url(self) -> str:
        return re.search(r"API +(http\S+)", self.output)[1]

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

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def stop(self, number: signal.Signals) -> int:
        self._popen.send_signal(number)  # does nothing once it has ended
        return self.end()

    def end(self) -> int:
        return self._popen.wait(PATIENCE_SECONDS)

    def left_behind(self) -> list[psutil.Process]:
        return [p for p in self.processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def modulo(data: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """An operator's command, in an environment that names no servers."""
    arguments = [sys.executable, "-m", "modulo.cli.main", *command, "--data", str(data)]
    return subprocess.run(
        arguments,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


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

    def test_the_printed_questions_are_answered_from_the_samples(self, first: Up, data: Path) -> None:
        printed = [shlex.split(line) for line in first.output.splitlines() if " ask demo " in line]
        environment = {"MODULO_URL": first.url, "MODULO_API_KEY": first.key, "HOME": str(data.parent)}
        for command in printed:
            done = subprocess.run(
                command, env=environment, cwd=data.parent, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, "")
            assert "\n[1] " in done.stdout, done.stdout
        assert len(printed) == 3

    def test_the_printed_link_comes_first_and_signs_in_once(self, first: Up, data: Path) -> None:
        ready = first.output.partition("Modulo is ready")[2]
        found = re.search(r"^  Open +(http\S+)/#signin=(\S+)$", ready, re.M)
        assert found
        assert ready.index(found[0]) < ready.index(" ask demo ")
        code = {"code": found[2]}
        signed_in = httpx.post(f"{found[1]}/api/sign-in", json=code, timeout=60)
        assert signed_in.status_code == 200, signed_in.text
        headers = {"Authorization": f"Bearer {signed_in.json()['api_key']}"}
        assert httpx.get(f"{first.url}/collections", headers=headers, timeout=60).json()["items"][0]["name"] == "demo"
        assert httpx.post(f"{found[1]}/api/sign-in", json=code, timeout=60).status_code == 401
        logs = "".join(path.read_text(errors="replace") for path in data.rglob("*.log"))
        assert found[2] not in logs

    def test_a_port_in_use_is_reported_and_replaced(self, first: Up) -> None:
        assert f"Port {first.taken} is in use: using" in first.output

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

    def test_operators_commands_find_it(self, first: Up, data: Path) -> None:
        created = modulo(data, "keys", "create", "--tenant", "demo", "--user", "operator", "--name", "e2e")
        assert (created.returncode, created.stderr) == (0, "")
        headers = {"Authorization": f"Bearer {created.stdout.strip()}"}
        assert httpx.get(f"{first.url}/collections", headers=headers, timeout=60).status_code == 200
        key_id, *_ = modulo(data, "keys", "list", "--tenant", "demo").stdout.split()
        assert modulo(data, "keys", "revoke", key_id, "--tenant", "demo").returncode == 0
        assert "demo" in modulo(data, "tenants", "list").stdout
        assert modulo(data, "dead-letters", "list").returncode == 0

    def test_the_python_client_sends_large_files_past_the_api(
        self, first: Up, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a form of the object store, which reads them back as well."""
        monkeypatch.setattr("modulo_client.sync.uploads.DIRECT_BYTES", 10)
        file = tmp_path / "sea.txt"
        file.write_text("The sea is 11 kilometres deep.")
        with Modulo(first.url, first.key) as modulo:
            sea = modulo.collections.create("sea")
            [added] = sea.add(file, attributes={"year": 2026}, max_wait=PATIENCE_SECONDS)
            assert added.ready, added
            assert added.file is not None
            assert added.file.attributes == {"year": 2026}
            assert sea.files.content(added.file.id) == file.read_bytes()
            assert "11 kilometres" in (sea.ask("How deep is the sea?").answer or "")
            assert [one.duplicate_of for one in sea.add(file, max_wait=PATIENCE_SECONDS)] == ["sea.txt"]
            sea.delete()

    def test_golden_questions_about_the_samples_are_answered(self, first: Up, data: Path, tmp_path: Path) -> None:
        files = ("--json", str(tmp_path / "found.json"), "--chart", str(tmp_path / "found.svg"))
        config = ("--config", '{"retrieve_only": true}', "--against", '{"retrieve_only": true, "disable_rerank": true}')
        done = modulo(data, "eval", "--limit", "3", *config, *files)
        assert done.returncode == 0, done.stderr
        assert first.url in done.stderr
        runs = json.loads((tmp_path / "found.json").read_text())["runs"]
        assert [len(run["replies"]) for run in runs] == [3, 3]
        assert [run["measures"]["document_recall@10"]["value"] for run in runs] == [1, 1]
        assert (tmp_path / "found.svg").read_text().startswith("<svg ")

    def test_secrets_are_for_their_owner_alone(self, first: Up, data: Path) -> None:
        secrets = [
            data / "demo.key",
            data / "environment.json",
            data / "postgres" / "password",
            data / "valkey" / "password",
        ]
        assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}


class TestOtherMachines:
    def test_they_upload_and_download_by_the_address_that_is_printed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("modulo_client.sync.uploads.DIRECT_BYTES", 10)
        file = tmp_path / "sea.txt"
        file.write_text("The sea is 11 kilometres deep.")
        up = Up(tmp_path / "data", free_port(), "--host", "0.0.0.0")
        try:
            printed = re.search(r"Others +(http\S+),", up.until_ready().output)
            if printed is None:
                pytest.skip("this machine is in no network")
            listening = [c.laddr for p in up.processes for c in p.net_connections() if c.status == "LISTEN"]
            [everywhere] = [laddr for laddr in listening if laddr.ip.removeprefix("::ffff:") != "127.0.0.1"]
            assert printed[1].endswith(f":{everywhere.port}")
            with Modulo(printed[1], up.key) as modulo:
                sea = modulo.collections.create("sea")
                [added] = sea.add(file, max_wait=PATIENCE_SECONDS)
                assert added.file is not None, added
                assert sea.files.content(added.file.id) == file.read_bytes()
            path = f"{printed[1]}/api/collections/{sea.id}/files/{added.file.id}/content"
            led = httpx.get(path, headers={"Authorization": f"Bearer {up.key}"}, timeout=60)
            assert led.headers["location"].startswith(f"{printed[1]}/objects/")
        finally:
            assert up.stop(signal.SIGINT) == 0


class TestLaterStart:
    def test_it_keeps_the_key_and_the_answers_and_stops_on_ctrl_c(self, first: Up, data: Path) -> None:
        key, answer = first.key, first.ask()["answer"]
        assert first.stop(signal.SIGINT) == 0
        assert first.left_behind() == []
        assert first.output.endswith("Stopped.\n")
        refused = modulo(data, "keys", "create", "--tenant", "demo", "--user", "operator", "--name", "e2e")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"Modulo is not running on {data}: start it with `make up`" in refused.stderr

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
        assert "worker was killed by SIGKILL" in later.output
        assert "worker.log" in later.output
        assert later.left_behind() == []

    def test_when_up_itself_is_killed_everything_stops_too(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        later = Up(data, free_port()).until_ready()
        later.stop(signal.SIGKILL)
        psutil.wait_procs(later.processes, timeout=60)
        assert later.left_behind() == []

    def test_of_two_started_at_once_the_second_says_where_the_first_is(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        both = [Up(data, free_port()) for _ in range(2)]
        give_up = time.monotonic() + PATIENCE_SECONDS
        try:
            while all(one.is_running for one in both):
                assert time.monotonic() < give_up, [one.output for one in both]
                time.sleep(0.05)
            refused, later = sorted(both, key=lambda one: one.is_running)
            assert refused.end() == 1
            found = re.search(r"already running on \S+: process \d+ at (http://127\.0\.0\.1:\d+/api)", refused.output)
            assert found
            assert later.until_ready().url == found[1]
        finally:
            for one in both:
                one.stop(signal.SIGINT)

    def test_two_on_one_port_both_start(self, first: Up, data: Path, tmp_path: Path) -> None:
        first.stop(signal.SIGINT)
        port = free_port()
        both = [Up(folder, port) for folder in (data, tmp_path / "data")]
        try:
            assert len({one.until_ready().url for one in both}) == 2
        finally:
            codes = [one.stop(signal.SIGINT) for one in both]
        assert codes == [0, 0]

    def test_it_starts_at_once_after_everything_was_killed(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        killed = Up(data, free_port()).until_ready()
        key = killed.key
        for process in [psutil.Process(killed.pid), *killed.processes]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert killed.end() == -signal.SIGKILL
        later = Up(data, free_port()).until_ready()
        try:
            assert later.key == key
            assert later.ask()["answer"]
        finally:
            later.stop(signal.SIGINT)
        assert [*killed.left_behind(), *later.left_behind()] == []

    @pytest.fixture
    def later(self, first: Up, data: Path) -> Iterator[Up]:
        """A later start, for a test to stop."""
        first.stop(signal.SIGINT)
        later = Up(data, free_port())
        try:
            yield later.until_ready()
        finally:
            later.stop(signal.SIGKILL)  # does nothing where it was stopped

    @pytest.mark.serial
    @pytest.mark.parametrize(
        "parts",
        [{"postgres"}, {"worker", "modulo.cli.stack.cloud_server", "modulo.cli.preload"}],
        ids=["one", "others"],
    )
    def test_it_stops_quickly_while_parts_hang(self, later: Up, parts: set[str]) -> None:
        hung = [(part, one) for one in later.processes for part in parts if any(part in word for word in one.cmdline())]
        assert {part for part, _ in hung} == parts
        for process in {each for _, one in hung for each in (one, *one.children(recursive=True))}:
            process.suspend()
        started = time.monotonic()
        assert later.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 25
        assert later.left_behind() == []

    def test_a_signal_during_the_start_stops_what_has_started(self, first: Up, data: Path) -> None:
        first.stop(signal.SIGINT)
        later = Up(data, free_port())
        later.until_it_says("ready after")
        later.remember()
        assert later.stop(signal.SIGINT) == 0
        assert later.left_behind() == []
