"""An execution environment: one function process, restarted after it exits, fails, or its code is edited."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from modulo_localstack.exchange import Invocation
from modulo_localstack.process import Function, Process, Result, Spawn


class Stopped(Exception):
    """The environment was stopped during an invocation."""


class Environment:
    """Runs one invocation at a time. `directory` is exclusive to it and is deleted when it stops."""

    def __init__(self, function: Function, directory: Path, *, spawn: Spawn = subprocess.Popen) -> None:
        self._function = function
        self._directory = directory
        self._spawn = spawn
        self._turn = threading.Lock()
        self._process: Process | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the process and wait until it is ready. A failure is reported by the first invocation.

        Raises:
            Stopped: the environment was stopped meanwhile.
        """
        with self._turn:
            self._launch()

    def invoke(self, invocation: Invocation) -> Result:
        """Run the function once.

        Raises:
            Stopped: the environment was stopped meanwhile.
        """
        with self._turn:
            process = self._process
            if not process or process.over or process.edited():
                process = self._launch()
            result = process.invoke(invocation)
            if not result.started:
                result = self._launch().invoke(invocation)
            if self._stopped:
                raise Stopped
            return result

    def stop(self, *, grace_seconds: float = 0, abort: Callable[[], bool] = lambda: False) -> None:
        """Stop the process; an invocation in progress gets `grace_seconds`, or less if `abort` returns true."""
        give_up = time.monotonic() + grace_seconds
        finished = self._turn.acquire(blocking=False)
        while not finished and time.monotonic() < give_up and not abort():
            finished = self._turn.acquire(timeout=0.1)
        self._stopped = True
        if self._process:
            self._process.stop()
        if finished:
            self._turn.release()
        shutil.rmtree(self._directory, ignore_errors=True)

    def log(self) -> str:
        """Output of the process since its last invocation."""
        return self._process.new_lines() if self._process else ""

    def _launch(self) -> "Process":
        if self._process:
            self._process.stop()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._process = process = Process(self._function, self._directory, self._spawn)
        if self._stopped:
            process.stop()
            raise Stopped
        process.await_ready()
        return process
