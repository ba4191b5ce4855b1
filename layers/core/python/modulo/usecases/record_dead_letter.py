"""Record a dead letter: a message whose every delivery failed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modulo.domain.operations.dead_letter import DeadLetterDraft
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.dead_letters import DeadLetters
    from modulo.ports.metrics import Metrics

log = logging.getLogger(__name__)


def record_dead_letter(draft: DeadLetterDraft, *, dead_letters: DeadLetters, metrics: Metrics, clock: Clock) -> bool:
    """Record the dead letter; False where it is recorded already, or what it is about is purged.

    Raises:
        Unavailable: Postgres did not answer; the queue keeps the message.
    """
    recorded = dead_letters.record_dead_letter(draft, now=clock.now())
    if recorded:
        log.error("dead letter %s of function %s: %s", draft.id, draft.function or "unknown", draft.problem.code)
        metrics.count("rag_dead_letters_total")
    return recorded
