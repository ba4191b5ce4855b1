"""Record a message that was given up."""

import logging

from modulo.domain.letter import Burial
from modulo.ports import Clock, Metadata, Metrics

log = logging.getLogger(__name__)


def bury(burial: Burial, *, metadata: Metadata, metrics: Metrics, clock: Clock) -> bool:
    """Make it a dead letter; False where it is one already, or where what it is about is purged.

    Raises:
        Unavailable: Postgres did not answer; the queue keeps the message.
    """
    buried = metadata.bury(burial, now=clock.now())
    if buried:
        log.error("dead letter %s of %s: %s", burial.id, burial.function or "nobody", burial.problem.code)
        metrics.count("rag_dead_letters_total")
    return buried
