"""A function process: runs AWS's runtime client, and is killed when it exceeds its time or memory limit."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modulo_localstack import launch, reports
from modulo_localstack.exchange import Answer, Exchange, Invocation
from modulo_localstack.layout import fingerprint, overlay
from modulo_localstack.runtime_api import RuntimeApi

MEGABYTE = 1024 * 1024
STOP_SECONDS = 0.5  # between SIGTERM and SIGKILL
Spawn = Callable[..., "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Function:
    """A function to run; edits in the `watched` directories take effect on the next invocation."""

    handler: str
    version: str
    python: Path  # an interpreter that has `awslambdaric`
    code: Path
    timeout: float  # seconds
    memory: int  # MB
    layers: tuple[Path, ...] = ()
    watched: tuple[Path, ...] = ()
    runtime: str = "python3.11"
    variables: Mapping[str, str] = field(default_factory=dict)
    start_timeout: float = 30.0  # seconds; AWS allows 10 on an otherwise idle machine


@dataclass(frozen=True)
class Result:
    """The response and the invocation's log. `started` is False if the process exited before it took the invocation."""

    answer: Answer
    log: str
    started: bool


class Process:
    """One process with its runtime API; `directory` holds its layers, its log and its /tmp."""

    def __init__(self, function: Function, directory: Path, spawn: Spawn) -> None:
        self._function = function
        self._fingerprint = fingerprint(function.watched)
        self._began = time.monotonic()
        self._exchange = Exchange(function.timeout)
        self._ready = False
        self._start_seconds: float | None = None  # until a log has reported it
        self._peak = 0  # MB
        self._read = 0  # bytes of the log
        overlay(function.layers, directory / "opt")
        (directory / "tmp").mkdir()
        self._log = directory / "log"
        self._api = RuntimeApi(self._exchange)
        with self._log.open("ab") as log:
            self._popen = spawn(
                [str(function.python), "-P", launch.__file__, str(os.getpid()), function.handler],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=function.code,
                env=environment_of(function, directory, self._api.address),
                start_new_session=True,
            )
        threading.Thread(target=self._watch, name="function-watch", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether it can take no further invocation and has reported why."""
        return self._start_seconds is None and (not self._ready or self._exchange.ended)

    def edited(self) -> bool:
        """Whether the code on disk has changed since the process started."""
        return fingerprint(self._function.watched) != self._fingerprint

    def await_ready(self) -> None:
        """Wait until the process asks for work, fails or exits."""
        self._ready = self._exchange.await_ready(self._function.start_timeout)
        self._start_seconds = time.monotonic() - self._began

    def invoke(self, invocation: Invocation) -> Result:
        """Run one invocation, or report why the process did not start."""
        began = time.monotonic()
        answer = self._work(invocation) if self._ready else self._failed_start(invocation)
        if answer.error_type:
            self._kill()
        log = reports.first_line(invocation.request_id, self._function.version) + self.new_lines()
        log += "" if log.endswith("\n") else "\n"
        log += reports.last_lines(
            invocation.request_id,
            seconds=time.monotonic() - began,
            memory=self._function.memory,
            used=self._peak,
            start=self._start_seconds,
            answer=answer,
        )
        self._start_seconds = None
        return Result(answer, log, started=not self._exchange.untaken)

    def stop(self) -> None:
        """Terminate the process, then kill what is left of its process group."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(STOP_SECONDS)
        self._kill()

    def new_lines(self) -> str:
        """Output written since the last call."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._read)
                written = log.read()
        except FileNotFoundError:  # the environment was stopped meanwhile
            return ""
        self._read += len(written)
        return written.decode(errors="replace")

    def _work(self, invocation: Invocation) -> Answer:
        self._exchange.offer(invocation)
        answer = self._exchange.await_answer(self._function.timeout, self._too_large)
        if answer:
            self._too_large()  # updates the peak
            return answer
        if self._exchange.returncode is not None:
            return reports.exited(invocation.request_id, self._exchange.returncode)
        if self._too_large():
            return reports.out_of_memory(invocation.request_id)
        return reports.timed_out(invocation.request_id, self._function.timeout)

    def _failed_start(self, invocation: Invocation) -> Answer:
        answer = self._exchange.await_answer(0)
        if not answer and self._exchange.returncode is not None:
            return reports.exited(invocation.request_id, self._exchange.returncode)
        return answer or reports.timed_out(invocation.request_id, self._function.start_timeout)

    def _watch(self) -> None:
        returncode = self._popen.wait()
        self._signal(signal.SIGKILL)  # child processes left behind
        self._api.stop()
        self._exchange.end(returncode)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._exchange.end(self._popen.wait())

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def _too_large(self) -> bool:
        """Whether the process, without its children, exceeds the function's memory size."""
        with contextlib.suppress(OSError, IndexError):
            pages = int(Path(f"/proc/{self._popen.pid}/statm").read_text(encoding="ascii").split()[1])
            held = pages * os.sysconf("SC_PAGE_SIZE") // MEGABYTE
            self._peak = max(self._peak, held)
            return held > self._function.memory
        return False


def environment_of(function: Function, directory: Path, api: str) -> dict[str, str]:
    """All environment variables of the process: Lambda's own, and the function's with translated paths."""
    opt, task, tmp = str(directory / "opt"), str(function.code), str(directory / "tmp")

    def local_path(value: str) -> str:
        """Translate a path on Lambda to the path here."""
        for there, here in (("/opt", opt), ("/var/task", task)):
            if value == there or value.startswith(there + "/"):
                return here + value.removeprefix(there)
        return value

    own = {name: local_path(value) for name, value in function.variables.items()}
    packages = [task, f"{opt}/python/lib/{function.runtime}/site-packages", f"{opt}/python", own.get("PYTHONPATH", "")]
    return {
        "LANG": "C.UTF-8",
        "PATH": f"{function.python.parent}:/usr/local/bin:/usr/bin:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": f"{task}/lib:{opt}/lib",
        **own,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": task,
        "_HANDLER": function.handler,
        "LAMBDA_RUNTIME_DIR": str(function.python.parent),
        "PYTHONPATH": ":".join(filter(None, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",  # code is read-only on Lambda
        "HOME": tmp,
        "TMPDIR": tmp,
    }
