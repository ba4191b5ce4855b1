"""From a custom resource of CloudFormation to work that a deployment waits for.

CloudFormation waits for an answer at an address in the event, an hour unless told otherwise. So one is given whatever
happens: when the work fails, when it takes too long, when the resource is deleted, and when no work can begin, as with
layers for another Python. So this imports nothing but the standard library.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock, Timer
from time import sleep
from typing import Any, Final
from urllib.parse import urlsplit

ANSWER_SECONDS: Final = 20.0
"""Kept of a function's time for answering; the work has to end as long before that again."""
ATTEMPTS: Final = 4
PAUSE_SECONDS = 0.5
SEND_SECONDS: Final = 4.0
DIGEST: Final = 16
"""Hexadecimal digits."""
SECRET: Final = re.compile(r"arn:aws[a-z-]*:secretsmanager:[\w:/+=.@-]+", re.ASCII)
MAX_REASON: Final = 1_000
"""Bytes, of which JSON may make twice as many; CloudFormation takes 4,096 in all."""
RESOURCE: Final = "schema"
"""The physical id: a constant, since another one would have the resource of before deleted."""
log = logging.getLogger(__name__)
Work = Callable[[float | None], Mapping[str, str]]
"""Takes the seconds it may last, or None for no limit; the resource's attributes."""


def custom_resource_handler(work: Work) -> Callable[[Mapping[str, Any], Any], dict[str, str]]:
    """The handler of a custom resource. Creating and updating do the work, deleting does nothing.

    Its attribute `Configuration` is a digest of the resource's properties: what has to change with them refers to it.

    Invoked by hand, with any other event, it does the work, and raises what that raises.
    """

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
        with ExitStack() as ended:
            try:
                _begin(event, context, ended)
            except Exception as error:
                if "RequestType" not in event:
                    raise
                return _refused(event, error)
            if "RequestType" not in event:
                return dict(work(None))
            left = context.get_remaining_time_in_millis() / 1_000 if context else None
            return _answered(event, work, left)

    return handler


def _begin(event: Mapping[str, Any], context: Any, ended: ExitStack) -> None:
    """Have log lines tell of this event; it fails where a setting is wrong, or a layer is built for another Python."""
    from modulo.runtime.telemetry import add_log_fields, invocation, request_id  # noqa: PLC0415 - see above

    ended.enter_context(invocation(context))
    name = str(event.get("RequestId") or getattr(context, "aws_request_id", "-"))
    request_id.set(name)
    add_log_fields(request_id=name)


def _refused(event: Mapping[str, Any], error: Exception) -> dict[str, str]:
    """Answer where no work can begin; a resource that is deleted needs none."""
    log.error("%s of the custom resource %s cannot begin: %s", event["RequestType"], event["LogicalResourceId"], error)
    deleted = event["RequestType"] == "Delete"
    reason = "" if deleted else f"The function cannot begin: {error} ({type(error).__name__})"
    _Answer(event).send("SUCCESS" if deleted else "FAILED", {}, reason)
    return {}


def _answered(event: Mapping[str, Any], work: Work, left: float | None) -> dict[str, str]:
    kind, answer = event["RequestType"], _Answer(event)
    log.info("%s of the custom resource %s of %s", kind, event["LogicalResourceId"], event["StackId"])
    if kind == "Delete":
        answer.send("SUCCESS", {})
        return {}
    if unlisted := _unlisted(event.get("ResourceProperties", {})):
        reason = f"No function could read these secrets, as the parameter SecretArns lacks them: {', '.join(unlisted)}"
        log.error("%s of the custom resource %s is refused: %s", kind, event["LogicalResourceId"], reason)
        answer.send("FAILED", {}, reason)
        return {}
    last = None if left is None else max(0.0, left - ANSWER_SECONDS)
    alarm = Timer(last or 0.0, answer.send, ("FAILED", {}, f"It took longer than {last} s."))
    alarm.daemon = True
    if last is not None:
        alarm.start()
    try:
        done = dict(work(None if last is None else max(1.0, last - ANSWER_SECONDS)))
    except Exception as error:
        log.exception("%s of %s failed: %s", kind, event["LogicalResourceId"], error)
        answer.send("FAILED", {}, f"{error} ({error.__cause__ or type(error).__name__})")
        return {}
    finally:
        alarm.cancel()
    answer.send("SUCCESS", {"Configuration": _digest(event), **done})
    return done


def _digest(event: Mapping[str, Any]) -> str:
    """Of all properties."""
    named = {name: value for name, value in event.get("ResourceProperties", {}).items() if name != "ServiceToken"}
    told = json.dumps(named, sort_keys=True).encode()
    return sha256(told).hexdigest()[:DIGEST]


def _unlisted(properties: Mapping[str, Any]) -> list[str]:
    """The secrets that the property `Secrets` names, in JSON as well, and `SecretArns` lacks."""
    named = SECRET.findall(json.dumps(properties.get("Secrets", [])))
    return sorted(set(named) - set(properties.get("SecretArns", [])))


class _Answer:
    """The one answer to an event: what is sent after the first is dropped."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event
        self._sent = False
        self._lock = Lock()

    def send(self, status: str, data: Mapping[str, str], reason: str = "") -> None:
        """Put the answer at the address that the event holds.

        Raises:
            OSError: it was not taken.
        """
        with self._lock:
            if self._sent:
                return
            names = ("StackId", "RequestId", "LogicalResourceId")
            body = {
                **{name: self._event[name] for name in names},
                "Status": status,
                "Reason": _shortened(reason),
                "PhysicalResourceId": self._event.get("PhysicalResourceId") or RESOURCE,
                "Data": dict(data),
            }
            _put(self._event["ResponseURL"], json.dumps(body, ensure_ascii=False).encode())
            self._sent = True


def _shortened(reason: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in reason)
    return shown.encode()[:MAX_REASON].decode(errors="ignore")


def _put(address: str, body: bytes) -> None:
    for attempt in range(ATTEMPTS):
        sleep(PAUSE_SECONDS * attempt)
        try:
            status = _status_of_put(address, body)
        except (OSError, HTTPException) as error:
            status, told = 0, f"{type(error).__name__}: {error}"
        else:
            told = f"status {status}"
        if 200 <= status < 300:
            return
        log.warning("CloudFormation did not take the answer: %s", told)
    raise OSError(f"CloudFormation did not take the answer: {told}")


def _status_of_put(address: str, body: bytes) -> int:
    url = urlsplit(address)
    kinds: dict[str, type[HTTPConnection]] = {"https": HTTPSConnection, "http": HTTPConnection}
    connection = kinds[url.scheme](url.netloc, timeout=SEND_SECONDS)  # without TLS on a local cloud
    try:
        # The address is signed for an empty type.
        connection.request("PUT", f"{url.path}?{url.query}", body, {"Content-Type": ""})
        return connection.getresponse().status
    finally:
        connection.close()
