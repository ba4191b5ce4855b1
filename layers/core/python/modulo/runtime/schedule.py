"""From a scheduled event to a use case."""

import logging
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from modulo.runtime.snapshot import preload_in_snapshots
from modulo.runtime.telemetry import add_log_fields, count_failure, ended, invocation, outcome_of, request_id

log = logging.getLogger(__name__)
ScheduleHandler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def schedule_handler(work: Callable[[], dict[str, Any]], *, uses: Sequence[str] = ()) -> ScheduleHandler:
    """The handler of a scheduled event, whose content does not matter; it logs and returns the work's result.

    `uses` names the ports of `Services` that the work uses, which a SnapStart snapshot holds ready.
    """
    preload_in_snapshots(uses)

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        with invocation(context):
            started = perf_counter()
            tick = str(getattr(context, "aws_request_id", None) or event.get("id", "-"))
            request_id.set(tick)
            add_log_fields(request_id=tick)
            try:
                done = work()
            except Exception as error:
                count_failure(error)
                log.exception("scheduled run %s failed: %s", tick, error, extra=ended(outcome_of(error), started))
                raise
            log.info("scheduled run %s done: %s", tick, done, extra=ended("done", started))
            return done

    return handler
