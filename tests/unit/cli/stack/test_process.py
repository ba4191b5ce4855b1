import os
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from modulo.cli.stack import launch
from modulo.cli.stack.process import Process, Program, StackError, free_port, is_free, plain_environment

PATIENCE_SECONDS = 60


def python(code: str, **options: object) -> Program:
    return Program([sys.executable, "-c", code], **options)


def until(condition) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)


class TestProcess:
    def test_its_output_goes_to_the_log_after_what_is_there(self, tmp_path: Path) -> None:
        log = tmp_path / "log"
        log.write_text("earlier\n")
        process = Process("one", python("print('hello')"), log)
        assert process.wait() == 0
        assert log.read_text() == "earlier\nhello\n"
        assert "hello" in process.tail()
        assert "earlier" not in process.tail()

    def test_a_probe_is_asked_until_it_says_yes(self, tmp_path: Path) -> None:
        answers = iter([False, False, True])
        process = Process("one", python("import time; time.sleep(60)"), tmp_path / "log")
        process.await_ready(lambda: next(answers), timeout=PATIENCE_SECONDS)
        process.stop(within=PATIENCE_SECONDS)
        assert process.returncode == -signal.SIGTERM

    def test_one_that_ends_before_it_is_ready_shows_why(self, tmp_path: Path) -> None:
        process = Process("one", python("raise SystemExit('no such thing')"), tmp_path / "log")
        with pytest.raises(StackError, match=r"(?s)one exited with code 1.*no such thing"):
            process.await_ready(lambda: False, timeout=PATIENCE_SECONDS)

    def test_one_that_is_never_ready_is_given_up(self, tmp_path: Path) -> None:
        process = Process("one", python("import time; time.sleep(60)"), tmp_path / "log")
        with pytest.raises(StackError, match="not ready within 0 s"):
            process.await_ready(lambda: False, timeout=0.1)
        process.stop(within=PATIENCE_SECONDS)

    def test_one_that_is_told_twice_to_stop_gets_one_signal(self, tmp_path: Path) -> None:
        code = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    time.sleep(0.5)
    print("closed its files", flush=True)
"""
        log = tmp_path / "log"
        process = Process("one", python(code, stop=signal.SIGINT), log)
        until(lambda: "ready" in log.read_text())
        process.signal_stop()
        time.sleep(0.1)  # let it handle the first: two that are pending are one
        process.stop(within=PATIENCE_SECONDS)
        assert "closed its files" in log.read_text()

    def test_one_that_does_not_listen_is_killed_with_its_children(self, tmp_path: Path) -> None:
        code = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
        process = Process("one", python(code), tmp_path / "log")
        until(lambda: (tmp_path / "log").read_text().strip())
        child = psutil.Process(int((tmp_path / "log").read_text()))
        process.stop(within=0.2)
        assert process.returncode == -signal.SIGKILL
        psutil.wait_procs([child], timeout=PATIENCE_SECONDS)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE

    def test_the_environment_is_plain(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_PROFILE", "production")
        process = Process("one", python("import os; print(sorted(os.environ))"), tmp_path / "log")
        process.wait()
        assert "AWS_PROFILE" not in process.tail()
        assert "AWS_PROFILE" not in plain_environment()

    def test_text_can_be_written_to_its_standard_input(self, tmp_path: Path) -> None:
        program = python("import sys; print('read', sys.stdin.read())", reads_stdin=True)
        process = Process("one", program, tmp_path / "log")
        process.write_stdin("a secret")
        process.wait()
        assert "read a secret" in process.tail()
        process.stop(within=0)

    def test_one_that_never_gets_its_input_stops_all_the_same(self, tmp_path: Path) -> None:
        process = Process("one", python("import sys; sys.stdin.read()", reads_stdin=True), tmp_path / "log")
        process.stop(within=PATIENCE_SECONDS)
        assert process.returncode is not None

    def test_signals_that_the_parent_ignores_work_all_the_same(self, tmp_path: Path) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            code = "import time; print('up', flush=True); time.sleep(60)"
            process = Process("one", python(code, stop=signal.SIGINT), tmp_path / "log")
            until((tmp_path / "log").read_text)
            process.stop(within=PATIENCE_SECONDS)
        finally:
            signal.signal(signal.SIGINT, before)
        assert "KeyboardInterrupt" in process.tail()

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent died")
    def test_it_ends_when_its_parent_is_killed(self, tmp_path: Path) -> None:
        code = f"""
import sys, time
from pathlib import Path
from modulo.cli.stack.process import Process, Program
sleep = Program([sys.executable, "-c", "import time; time.sleep(60)"])
process = Process("one", sleep, Path({str(tmp_path / "inner")!r}))
print(process.pid, flush=True)
time.sleep(60)
"""
        outer = Process("outer", python(code), tmp_path / "log")
        until(lambda: (tmp_path / "log").read_text().strip())
        inner = psutil.Process(int((tmp_path / "log").read_text()))
        os.kill(outer.pid, signal.SIGKILL)
        outer.wait()
        psutil.wait_procs([inner], timeout=PATIENCE_SECONDS)
        assert not inner.is_running() or inner.status() == psutil.STATUS_ZOMBIE


class TestPorts:
    def test_a_free_port_is_below_those_of_outgoing_connections(self) -> None:
        assert 20_000 <= free_port() < 32_000

    def test_a_port_is_free_once_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            assert not is_free(port)
        assert is_free(port)


class TestLaunch:
    def test_the_weaker_capability_is_preferred(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for effective, expected in ((0b110, 2), (0b010, 1), (0b001, None)):
            monkeypatch.setattr(launch, "effective_capabilities", lambda value=effective: value)
            assert launch.traversal_capability() == expected
