"""Lambda's own error responses and log lines for an invocation, in AWS's wording."""

import json
import math
import signal
from datetime import UTC, datetime

from modulo_localstack.exchange import Answer

TIMED_OUT = "Sandbox.Timedout"


def _failure(kind: str, message: str) -> Answer:
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True, error_type=kind)


def _prefix(request_id: str) -> str:
    return f"RequestId: {request_id} Error:"


def timed_out(request_id: str, seconds: float) -> Answer:
    """The invocation exceeded its timeout."""
    return _failure(TIMED_OUT, f"{_prefix(request_id)} Task timed out after {seconds:.2f} seconds")


def out_of_memory(request_id: str) -> Answer:
    """The process exceeded its memory size."""
    return _failure("Runtime.OutOfMemory", f"{_prefix(request_id)} Runtime exited with error: signal: killed")


def exited(request_id: str, returncode: int) -> Answer:
    """The process exited during the invocation; a negative return code is a signal."""
    if returncode == 0:
        return _failure("Runtime.ExitError", f"{_prefix(request_id)} Runtime exited without providing a reason")
    how = f"exit status {returncode}" if returncode > 0 else f"signal: {signal.strsignal(-returncode)}".lower()
    return _failure("Runtime.ExitError", f"{_prefix(request_id)} Runtime exited with error: {how}")


def too_large(size: int, limit: int) -> Answer:
    """The response exceeds the size limit."""
    what = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes)."
    return _failure("Function.ResponseSizeTooLarge", what)


def first_line(request_id: str, version: str) -> str:
    """The log line before the function's own output."""
    return f"START RequestId: {request_id} Version: {version}\n"


def last_lines(request_id: str, *, seconds: float, memory: int, used: int, start: float | None, answer: Answer) -> str:
    """The log lines after the output. Memory in MB, times in seconds; `start` is None for a warm process."""
    milliseconds = seconds * 1000
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {math.ceil(milliseconds)} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {used} MB",
    ]
    if start is not None:
        report.append(f"Init Duration: {start * 1000:.2f} ms")
    above = ""
    if answer.error_type == TIMED_OUT:
        report.append("Status: timeout")
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        above = f"{now} {request_id} Task timed out after {seconds:.2f} seconds\n\n"
    elif answer.error_type:
        report.append(f"Status: error\tError Type: {answer.error_type}")
        above = json.loads(answer.payload)["errorMessage"] + "\n"
    return f"{above}END RequestId: {request_id}\n" + "\t".join(report) + "\t\n"
