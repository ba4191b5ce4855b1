"""Hands invocations to a function process and its responses back to the invoker, one at a time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Invocation:
    """One invocation of the function."""

    request_id: str
    function_arn: str
    payload: bytes
    trace_id: str = ""


@dataclass(frozen=True)
class Answer:
    """The response to an invocation, or the error of a failed start, as JSON.

    `error_type` is set if the error comes from Lambda itself rather than from the function.
    """

    payload: bytes
    failed: bool = False
    error_type: str | None = None


class Exchange:
    """The state of one process: starting, ready, running an invocation, or ended. Thread-safe."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout  # seconds allowed for an invocation
        self.returncode: int | None = None
        self._changed = threading.Condition()
        self._waiting: Invocation | None = None
        self._taken: Invocation | None = None
        self._answer: Answer | None = None
        self._parts: list[bytes] = []
        self._ready = False
        self._deadline = 0.0

    # The process's side

    def take(self) -> tuple[Invocation, int] | None:
        """Wait for the next invocation; it and its deadline (Unix time in ms), or None once the process has exited."""
        with self._changed:
            self._ready = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self.ended)
            if self.ended or not self._waiting:
                return None
            self._taken, self._waiting = self._waiting, None
            return self._taken, int((time.time() + self.timeout) * 1000)

    def add_part(self, request_id: str, part: bytes) -> bool:
        """Add a part of a streamed response; False if the invocation is not the current one."""
        with self._changed:
            if not self._taken or self._taken.request_id != request_id:
                return False
            self._parts.append(part)
            self._changed.notify_all()
            return True

    def answer(self, request_id: str, answer: Answer) -> bool:
        """Respond to the invocation; False if it is not the current one."""
        with self._changed:
            if not self._taken or self._taken.request_id != request_id:
                return False
            self._taken = None
            self._answer = answer
            self._changed.notify_all()
            return True

    def fail(self, answer: Answer) -> None:
        """Report why the process failed to start."""
        with self._changed:
            self._answer = answer
            self._changed.notify_all()

    # The invoker's side

    @property
    def ended(self) -> bool:
        """Whether the process has exited."""
        return self.returncode is not None

    @property
    def untaken(self) -> bool:
        """Whether an offered invocation has not been taken by the process."""
        return self._waiting is not None

    def end(self, returncode: int) -> None:
        """Record the exit of the process."""
        with self._changed:
            self.returncode = returncode
            self._changed.notify_all()

    def await_ready(self, seconds: float) -> bool:
        """Wait until the process asks for work, fails or exits; whether it asked for work."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._answer or self.ended, seconds)
            return self._ready and not self.ended

    def offer(self, invocation: Invocation) -> None:
        """Offer an invocation to the process."""
        with self._changed:
            self._answer, self._waiting, self._parts = None, invocation, []
            self._changed.notify_all()

    def await_part(self, number: int, seconds: float) -> bytes | None:
        """Wait for a part of a streamed response, counted from 0; None where the response ends without it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._parts) > number or self._answer or self.ended, seconds)
            return self._parts[number] if len(self._parts) > number else None

    def await_answer(self, seconds: float, abort: Callable[[], bool] = lambda: False) -> Answer | None:
        """Wait for the response; None on exit, timeout, or when `abort`, called ten times a second, returns true."""
        give_up = time.monotonic() + seconds
        with self._changed:
            while not (self._answer or self.ended) and (left := give_up - time.monotonic()) > 0 and not abort():
                self._changed.wait(min(left, 0.1))
            return self._answer
