"""What a function's process and whoever invokes it tell each other; one invocation at a time."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Invocation:
    """An event for the function."""

    request_id: str
    function_arn: str
    payload: bytes
    trace_id: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of an invocation, or of a start: a JSON document.

    `verdict` is the error type where it is Lambda itself that speaks, not the function.
    """

    payload: bytes
    failed: bool = False
    verdict: str | None = None


class Exchange:
    """The life of one process: it starts, takes invocations and answers them, and ends."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout  # seconds that an invocation may take
        self.returncode: int | None = None
        self._changed = threading.Condition()
        self._waiting: Invocation | None = None
        self._taken: Invocation | None = None
        self._answer: Answer | None = None
        self._ready = False
        self._deadline = 0.0

    # The process's side

    def take(self) -> tuple[Invocation, int] | None:
        """Wait for the next invocation; with its deadline in milliseconds since 1970, or None at the end."""
        with self._changed:
            self._ready = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self.ended)
            if self.ended or not self._waiting:
                return None
            self._taken, self._waiting = self._waiting, None
            return self._taken, int((time.time() + self.timeout) * 1000)

    def answer(self, request_id: str, answer: Answer) -> bool:
        """Answer the invocation; False where it is not the one under way."""
        with self._changed:
            if not self._taken or self._taken.request_id != request_id:
                return False
            self._taken = None
            self._answer = answer
            self._changed.notify_all()
            return True

    def fail(self, answer: Answer) -> None:
        """Say why the process cannot start."""
        with self._changed:
            self._answer = answer
            self._changed.notify_all()

    # The invoker's side

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self.returncode is not None

    @property
    def untaken(self) -> bool:
        """Whether an invocation was offered that the process has not taken."""
        return self._waiting is not None

    def end(self, returncode: int) -> None:
        """The process is gone."""
        with self._changed:
            self.returncode = returncode
            self._changed.notify_all()

    def await_ready(self, seconds: float) -> bool:
        """Wait until it takes invocations, fails or ends; whether it takes them."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._answer or self.ended, seconds)
            return self._ready and not self.ended

    def offer(self, invocation: Invocation) -> None:
        """Give it an invocation."""
        with self._changed:
            self._answer, self._waiting = None, invocation
            self._changed.notify_all()

    def await_answer(self, seconds: float, look: Callable[[], bool] = lambda: False) -> Answer | None:
        """Wait for its answer; None where it ended, time is up, or `look`, asked ten times a second, says so."""
        give_up = time.monotonic() + seconds
        with self._changed:
            while not (self._answer or self.ended) and (left := give_up - time.monotonic()) > 0 and not look():
                self._changed.wait(min(left, 0.1))
            return self._answer
