"""An execution environment: one process of a function, started again when it ended, failed or was edited."""

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from modulo_localstack.exchange import Invocation
from modulo_localstack.process import Function, Process, Result, Spawn


class Stopped(Exception):
    """The environment was stopped in the middle of an invocation."""


class Environment:
    """One invocation at a time; `place` is a directory of its own, which ends with it."""

    def __init__(self, function: Function, place: Path, *, spawn: Spawn = subprocess.Popen) -> None:
        self._function = function
        self._place = place
        self._spawn = spawn
        self._turn = threading.Lock()
        self._process: Process | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the process and wait until it is ready; what keeps it from that is the first invocation's answer.

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
            if not result.taken:
                result = self._launch().invoke(invocation)
            if self._stopped:
                raise Stopped
            return result

    def stop(self, *, patience: float = 0, hurry: Callable[[], bool] = lambda: False) -> None:
        """End the process, giving an invocation that is under way so many seconds, until `hurry` says so."""
        give_up = time.monotonic() + patience
        finished = self._turn.acquire(blocking=False)
        while not finished and time.monotonic() < give_up and not hurry():
            finished = self._turn.acquire(timeout=0.1)
        self._stopped = True
        if self._process:
            self._process.stop()
        if finished:
            self._turn.release()
        shutil.rmtree(self._place, ignore_errors=True)

    def log(self) -> str:
        """What the process has written since its last invocation."""
        return self._process.new_lines() if self._process else ""

    def _launch(self) -> "Process":
        if self._process:
            self._process.stop()
        shutil.rmtree(self._place, ignore_errors=True)
        self._process = process = Process(self._function, self._place, self._spawn)
        if self._stopped:
            process.stop()
            raise Stopped
        process.await_ready()
        return process
