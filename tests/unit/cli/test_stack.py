import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modulo.cli.stack import account
from modulo.cli.stack.cloud_server import guarded, is_allowed
from modulo.cli.stack.lock import AlreadyRunning, Lock
from modulo.cli.stack.service import kept_secret, write_private
from modulo.cli.up import next_port, product_environment


class TestLock:
    def test_it_is_held_by_one_alone_and_says_by_whom(self, tmp_path: Path) -> None:
        first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
        first.acquire()
        first.note("at http://127.0.0.1:8000/api")
        with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()} at http://127\.0\.0\.1:8000/api"):
            second.acquire()
        first.release()
        second.acquire()
        second.release()

    def test_a_process_that_has_ended_holds_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        processes, lock = tmp_path / "proc", Lock(tmp_path / "lock")
        for pid, flags in (("1000000001", "FLOCK"), ("1000000002", "")):
            (processes / pid / "fd").mkdir(parents=True)
            (processes / pid / "fdinfo").mkdir()
            (processes / pid / "fd" / "3").symlink_to(tmp_path / "lock")
            (processes / pid / "fdinfo" / "3").write_text(flags)
        (processes / "1000000003").mkdir()  # it has ended: its open files are gone
        monkeypatch.setattr("modulo.cli.stack.lock.PROCESSES", processes)
        assert list(lock._holders()) == [1000000001]

    def test_what_a_dead_owner_left_running_is_waited_for(self, tmp_path: Path) -> None:
        lock = Lock(tmp_path / "lock")
        lock.acquire()
        os.pwrite(lock.descriptor, b"999999999 ", 0)  # no such process
        wait = [sys.executable, "-c", "import time; time.sleep(0.5)"]
        heir = subprocess.Popen(wait, pass_fds=[lock.descriptor])
        lock.release()
        with pytest.raises(AlreadyRunning):
            Lock(tmp_path / "lock").acquire(timeout=0)
        after = Lock(tmp_path / "lock")
        after.acquire()
        after.release()
        heir.wait()

    def test_what_a_dead_owner_left_hanging_is_killed(self, tmp_path: Path) -> None:
        lock = Lock(tmp_path / "lock")
        lock.acquire()
        os.pwrite(lock.descriptor, b"999999999 ", 0)
        ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        left = subprocess.Popen([sys.executable, "-c", ignore], pass_fds=[lock.descriptor], start_new_session=True)
        lock.release()
        after = Lock(tmp_path / "lock")
        after.acquire(grace=0.2)
        after.release()
        assert left.wait(60) == -signal.SIGKILL

    def test_what_a_dead_owner_left_suspended_is_woken_so_that_it_can_stop(self, tmp_path: Path) -> None:
        lock = Lock(tmp_path / "lock")
        lock.acquire()
        os.pwrite(lock.descriptor, b"999999999 ", 0)
        sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
        left = subprocess.Popen(sleep, pass_fds=[lock.descriptor], start_new_session=True)
        lock.release()
        left.send_signal(signal.SIGSTOP)
        left.send_signal(signal.SIGTERM)
        after = Lock(tmp_path / "lock")
        after.acquire()
        after.release()
        assert left.wait(60) == -signal.SIGTERM

    def test_a_later_process_with_the_dead_owner_s_id_is_not_the_owner(self, tmp_path: Path) -> None:
        lock = Lock(tmp_path / "lock")
        lock.acquire()
        stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        os.pwrite(lock.descriptor, f"{stranger.pid} at http://127.0.0.1:1/api".encode(), 0)
        left = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[lock.descriptor], start_new_session=True
        )
        lock.release()
        after = Lock(tmp_path / "lock")
        after.acquire(grace=0.2)
        after.release()
        assert stranger.poll() is None
        stranger.kill()
        assert (stranger.wait(60), left.wait(60)) == (-signal.SIGKILL, -signal.SIGKILL)

    def test_one_that_waits_for_the_lock_too_is_spared(self, tmp_path: Path) -> None:
        lock = Lock(tmp_path / "lock")
        lock.acquire()
        os.pwrite(lock.descriptor, b"999999999 ", 0)
        left = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[lock.descriptor], start_new_session=True
        )
        waits = "import sys, time; file = open(sys.argv[1]); print(flush=True); time.sleep(600)"
        waiting = subprocess.Popen(
            [sys.executable, "-c", waits, str(tmp_path / "lock")], stdout=subprocess.PIPE, start_new_session=True
        )
        waiting.stdout.readline()
        lock.release()
        after = Lock(tmp_path / "lock")
        after.acquire(grace=0.2)
        after.release()
        assert left.wait(60) == -signal.SIGKILL
        assert waiting.poll() is None
        waiting.kill()
        waiting.communicate()


class TestSecret:
    def test_it_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        secret = kept_secret(tmp_path / "secret")
        assert len(secret) == 32
        assert kept_secret(tmp_path / "secret") == secret
        assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


class TestPrivateFile:
    def test_a_write_that_breaks_off_leaves_what_was_there(self, tmp_path: Path) -> None:
        write_private(tmp_path / "demo.json", "{}")
        with pytest.raises(UnicodeEncodeError):
            write_private(tmp_path / "demo.json", "half\ud800")
        assert (tmp_path / "demo.json").read_text() == "{}"
        write_private(tmp_path / "demo.json", "[]")
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("demo.json", "[]")]
        assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


class TestAccount:
    def test_an_ordinary_user_stays_who_it_is(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        assert account.account_reaching(tmp_path) is None

    def test_root_becomes_nobody_with_a_capability_only_below_closed_directories(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(account, "traversal_capability", lambda: 2)
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        assert account.account_reaching(Path("/usr/bin")).capability is None
        assert account.account_reaching(closed / "data").capability == 2
        monkeypatch.setattr(account, "traversal_capability", lambda: None)
        with pytest.raises(PermissionError, match="refuses to run as root"):
            account.account_reaching(closed / "data")


class TestGuard:
    @pytest.mark.parametrize(
        ("path", "host", "allowed"),
        [
            ("/modulo/key", "127.0.0.1:4566", True),
            ("/modulo/key", "localhost:4566", True),
            ("/_ministack/health", "127.0.0.1:4566", True),
            ("/_ministack/cfn-response/token", "127.0.0.1:4566", True),
            ("/_ministack/cfn-response/token", "rebound.example:4566", False),
            ("/_ministack/reset", "127.0.0.1:4566", False),
            ("/_localstack/state/reset", "127.0.0.1:4566", False),
            ("/modulo/key", "rebound.example:4566", False),
            ("/modulo/key", "", False),
        ],
    )
    def test_only_this_machine_and_no_internal_address(self, path: str, host: str, allowed: bool) -> None:
        assert is_allowed(path, host) is allowed
        assert asyncio.run(status(path, host)) == (200 if allowed else 403)

    @pytest.mark.parametrize(
        ("path", "host", "expected"),
        [
            ("/restapis/1a2b/api/_user_request_", "127.0.0.1:4566", 200),
            ("/restapis/1a2b/api/_user_request_", "evil.example", 403),
            ("/_aws/execute-api/1a2b/api", "127.0.0.1:4566", 403),
            ("/mqtt", "127.0.0.1:4566", 403),
        ],
    )
    def test_sockets_lead_to_functions_only(self, path: str, host: str, expected: int) -> None:
        assert asyncio.run(status(path, host, "websocket")) == expected


async def status(path: str, host: str, kind: str = "http") -> int:
    statuses = []

    async def application(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message) -> None:
        statuses.append(message.get("status"))

    headers = [(b"host", host.encode())] if host else []
    await guarded(application)({"type": kind, "path": path, "headers": headers}, None, send)
    return statuses[0]


class TestUp:
    def test_the_stack_replaces_any_other_cloud_and_no_proxy_stands_before_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        monkeypatch.setenv("NO_PROXY", "intranet")
        monkeypatch.setenv("GENERATOR", "bedrock")
        environment = product_environment({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
        assert "AWS_PROFILE" not in environment
        assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
        assert environment["GENERATOR"] == "bedrock"
        assert environment["NO_PROXY"] == environment["no_proxy"] == "intranet,127.0.0.1,localhost"

    def test_the_next_port_is_another(self) -> None:
        assert next_port(40_000) > 40_000
        assert next_port(65_535) < 32_000

    def test_what_is_loaded_early_exists_and_reads_no_environment(self) -> None:
        code = """
from modulo.cli import preload
preload.preload()
from modulo.settings import settings
assert settings.cache_info().currsize == 0
"""
        subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
