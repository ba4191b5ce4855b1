"""Messages in the dead-letter queue."""

from modulo.domain.operations.dead_letter import DeadLetterDraft
from modulo.runtime.dead_letters import dead_letter_drafts
from modulo.runtime.queue import delivery_handler
from modulo.services import services
from modulo.usecases.record_dead_letter import record_dead_letter


def work(draft: DeadLetterDraft) -> bool:
    """Record one dead letter."""
    s = services()
    return record_dead_letter(draft, dead_letters=s.dead_letters, metrics=s.metrics, clock=s.clock)


handler = delivery_handler(
    dead_letter_drafts, work, lambda s: s.dead_letter_queue, uses=("dead_letters", "metrics", "clock")
)
