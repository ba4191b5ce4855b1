"""Requests to tell those who watch what has changed."""

from modulo.domain.watching import Farewell, PushRequest
from modulo.runtime.details import ending
from modulo.runtime.queue import delivery_handler, pushes
from modulo.services import services
from modulo.usecases.push_events import Push, push_events


def work(asked: PushRequest | Farewell) -> list[Push]:
    """Tell them, or say a last thing on a connection."""
    s = services()
    return push_events(asked, metadata=s.metadata, sockets=s.sockets, pushes=s.pushes, clock=s.clock, ending=ending)


handler = delivery_handler(pushes, work, lambda s: s.pushes)
