"""A function's process: started with AWS's runtime client, watched, and ended when it takes too long or too much."""

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
PATIENCE = 0.5  # seconds from asking a process to end to ending it
Spawn = Callable[..., "subprocess.Popen[bytes]"]


@dataclass(frozen=True)
class Function:
    """What is to be run; `watched` are the directories whose edits are to be live on the next invocation."""

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
    start_timeout: float = 30.0  # seconds; AWS gives 10, on a machine that does nothing else


@dataclass(frozen=True)
class Result:
    """An answer with everything that the log has on it; not `taken` where the process ended before it could begin."""

    answer: Answer
    log: str
    taken: bool


class Process:
    """One process with its runtime API; `place` takes its layers, its log and what it puts into /tmp."""

    def __init__(self, function: Function, place: Path, spawn: Spawn) -> None:
        self._function = function
        self._print = fingerprint(function.watched)
        self._began = time.monotonic()
        self._exchange = Exchange(function.timeout)
        self._ready = False
        self._start_seconds: float | None = None  # until a log has told it
        self._peak = 0  # MB
        self._read = 0  # bytes of the log
        overlay(function.layers, place / "opt")
        (place / "tmp").mkdir()
        self._log = place / "log"
        self._api = RuntimeApi(self._exchange)
        with self._log.open("ab") as log:
            self._popen = spawn(
                [str(function.python), "-P", launch.__file__, str(os.getpid()), function.handler],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=function.code,
                env=environment_of(function, place, self._api.address),
                start_new_session=True,
            )
        threading.Thread(target=self._watch, name="function-watch", daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether it can take no invocation any more and has told why."""
        return self._start_seconds is None and (not self._ready or self._exchange.ended)

    def edited(self) -> bool:
        """Whether its code is not what stands on the disk."""
        return fingerprint(self._function.watched) != self._print

    def await_ready(self) -> None:
        """Wait until it asks for work, or will not."""
        self._ready = self._exchange.await_ready(self._function.start_timeout)
        self._start_seconds = time.monotonic() - self._began

    def invoke(self, invocation: Invocation) -> Result:
        """Run the function once, or tell why it did not start."""
        began = time.monotonic()
        answer = self._work(invocation) if self._ready else self._failed_start(invocation)
        if answer.verdict:
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
        return Result(answer, log, taken=not self._exchange.untaken)

    def stop(self) -> None:
        """Ask it to end, then end it and all that it started."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(PATIENCE)
        self._kill()

    def new_lines(self) -> str:
        """What it has written since this was last asked."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._read)
                written = log.read()
        except FileNotFoundError:  # stopped meanwhile
            return ""
        self._read += len(written)
        return written.decode(errors="replace")

    def _work(self, invocation: Invocation) -> Answer:
        self._exchange.offer(invocation)
        answer = self._exchange.await_answer(self._function.timeout, self._too_large)
        if answer:
            self._too_large()  # notes how large
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
        self._signal(signal.SIGKILL)  # what it started and left
        self._api.stop()
        self._exchange.end(returncode)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)
        self._exchange.end(self._popen.wait())

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    def _too_large(self) -> bool:
        """Whether it holds more memory than the function may, its children not counted."""
        with contextlib.suppress(OSError, IndexError):
            pages = int(Path(f"/proc/{self._popen.pid}/statm").read_text(encoding="ascii").split()[1])
            held = pages * os.sysconf("SC_PAGE_SIZE") // MEGABYTE
            self._peak = max(self._peak, held)
            return held > self._function.memory
        return False


def environment_of(function: Function, place: Path, api: str) -> dict[str, str]:
    """All environment variables of the process: Lambda's own, and the function's with paths put right."""
    opt, task, tmp = str(place / "opt"), str(function.code), str(place / "tmp")

    def placed(value: str) -> str:
        """A path on Lambda, as the same path here."""
        for there, here in (("/opt", opt), ("/var/task", task)):
            if value == there or value.startswith(there + "/"):
                return here + value.removeprefix(there)
        return value

    own = {name: placed(value) for name, value in function.variables.items()}
    packages = [task, f"{opt}/python/lib/{function.runtime}/site-packages", f"{opt}/python", own.get("PYTHONPATH", "")]
    return {
        "LANG": "C.UTF-8",
        "PATH": f"{function.python.parent}:/usr/local/bin:/usr/bin:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": f"{task}/lib:{opt}/lib",
        **own,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": task,
        "LAMBDA_RUNTIME_DIR": str(function.python.parent),
        "PYTHONPATH": ":".join(filter(None, packages)),
        "PYTHONDONTWRITEBYTECODE": "1",  # code is read-only on Lambda
        "HOME": tmp,
        "TMPDIR": tmp,
    }
