"""The regular sweep for overdue and interrupted work."""

from typing import Any

from modulo.runtime.schedule import schedule_handler
from modulo.services import services
from modulo.usecases.sweep import Periods, Queues, Rest, sweep

rest = Rest()


def work() -> dict[str, Any]:
    """Run one sweep."""
    s = services()
    report = sweep(
        deletions=s.deletions,
        conversations=s.conversations,
        subscriptions=s.subscriptions,
        sweeping=s.sweeping,
        blobs=s.blobs,
        queues=Queues(s.ingests, s.fetches, s.purges, s.dead_letter_queue, s.pushes),
        metrics=s.metrics,
        clock=s.clock,
        periods=Periods(
            deadline_seconds=s.settings.ingest_deadline_seconds,
            receipt_days=s.settings.deletion_retention_days,
            conversation_days=s.settings.conversation_retention_days,
            rest_seconds=s.settings.sweep_rest_seconds,
        ),
        rest=rest,
    )
    return report.model_dump(mode="json")


PORTS = ("deletions", "conversations", "subscriptions", "sweeping", "ingests", "fetches", "purges", "dead_letter_queue")

handler = schedule_handler(work, uses=(*PORTS, "blobs", "pushes", "metrics", "clock"))
