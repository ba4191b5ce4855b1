"""From a schedule's tick to a use case."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from modulo.runtime.snapshot import keep_ready
from modulo.runtime.telemetry import configure_logging, request_id
from modulo.services import services

log = logging.getLogger(__name__)
ScheduleHandler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def schedule_handler(work: Callable[[], dict[str, Any]]) -> ScheduleHandler:
    """The handler of a tick: what the event says does not matter, what was done is logged and answered."""
    keep_ready(work)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        configure_logging(services().settings.log_level)
        request_id.set(str(getattr(context, "aws_request_id", None) or event.get("id", "-")))
        done = work()
        log.info("done: %s", done)
        return done

    return handler
