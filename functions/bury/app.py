"""Messages that were given up."""

from modulo.domain.letter import Burial
from modulo.runtime.dead_letters import burials
from modulo.runtime.queue import delivery_handler
from modulo.services import services
from modulo.usecases.bury import bury


def work(burial: Burial) -> bool:
    """Make one a dead letter."""
    s = services()
    return bury(burial, metadata=s.metadata, metrics=s.metrics, clock=s.clock)


handler = delivery_handler(burials, work, lambda s: s.dead_letters)
