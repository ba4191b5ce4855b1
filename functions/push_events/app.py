"""Requests to push what has changed to the subscribers of a collection."""

from modulo.domain.operations.messages import ClosingMessage, PushRequest
from modulo.runtime.events import pushes
from modulo.runtime.problem_details import ending
from modulo.runtime.queue import delivery_handler
from modulo.services import services
from modulo.usecases.push_events import PushOutcome, push_events


def work(asked: PushRequest | ClosingMessage) -> list[PushOutcome]:
    """Push to a collection's subscribers, or close one connection with a last message."""
    s = services()
    return push_events(
        asked,
        subscriptions=s.subscriptions,
        files=s.files,
        sockets=s.sockets,
        pushes=s.pushes,
        clock=s.clock,
        ending=ending,
    )


handler = delivery_handler(
    pushes, work, lambda s: s.pushes, uses=("subscriptions", "files", "sockets", "pushes", "clock")
)
