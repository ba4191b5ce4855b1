"""Many who push at once, while a file goes on: each watcher sees every state in order, and none twice."""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from modulo.adapters.system_clock import SystemClock
from modulo.domain.errors import ModuloError, Unavailable
from modulo.domain.files.file import Stage
from modulo.domain.files.subscription import SubscriptionDraft
from modulo.domain.operations.messages import PushRequest
from modulo.runtime.problem_details import ending
from modulo.usecases.push_events import push_events
from tests.doubles.memory_queue import MemoryQueue
from tests.doubles.memory_websockets import MemoryWebSockets
from tests.metadata_world import HOUR, Metadata, MetadataContract, World

WATCHERS, PUSHERS, STEPS = 4, 6, 30


class Fickle(MemoryWebSockets):
    """Connections that take their time, and sometimes do not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.fickle = True

    def send(self, connection_id: str, message: str) -> bool:
        time.sleep(random.uniform(0, 0.01))
        if self.fickle and random.random() < 0.2:
            raise Unavailable(dependency="sockets")
        return super().send(connection_id, message)


class TestPushingAtOnce(MetadataContract):
    def test_nothing_is_lost_doubled_or_out_of_order(self, metadata: Metadata, world: World) -> None:
        clock, sockets, pushes = SystemClock(), Fickle(), MemoryQueue()
        owner = world.user()
        collection, now = world.collection(owner), clock.now()
        connections = [f"{world.tenant_id}-{number}" for number in range(WATCHERS)]
        for connection in connections:
            watcher = SubscriptionDraft(connection, now, None, None, now + HOUR)
            assert metadata.subscriptions.add_subscription(owner, collection.id, watcher, limit=WATCHERS, now=now)
        request = PushRequest(world.tenant_id, collection.id)
        going_on = True

        def push() -> None:
            read = {"subscriptions": metadata.subscriptions, "files": metadata.files}
            parts = {"sockets": sockets, "pushes": pushes, "clock": clock, "ending": ending}
            with suppress(ModuloError):
                push_events(request, **read, **parts)

        def pushing() -> None:
            while going_on:
                push()

        claim = world.claim(world.file(owner, collection), now=now)
        with ThreadPoolExecutor(PUSHERS) as threads:
            for _ in range(PUSHERS):
                threads.submit(pushing)
            for page in range(1, STEPS + 1):
                at = clock.now()
                lease = {"lease_until": at + HOUR, "now": at}
                assert metadata.ingestion.advance(claim, Stage.embedding, pages_done=page, pages_total=STEPS, **lease)
                time.sleep(0.02)
            going_on = False
        sockets.fickle = False
        until = time.monotonic() + 60
        while any(self.pages(sockets, one)[-1:] != [STEPS] for one in connections) and time.monotonic() < until:
            push()
        for connection in connections:
            pages = self.pages(sockets, connection)
            assert pages == sorted(set(pages)), connection
            assert pages[-1] == STEPS

    def pages(self, sockets: MemoryWebSockets, connection: str) -> list[int]:
        """How far the file was, each time that it was told."""
        messages = map(json.loads, sockets.said[connection])
        files = [event["data"] for message in messages for event in message["events"]]
        return [file["pages_done"] for file in files if file["stage"] == "embedding"]
