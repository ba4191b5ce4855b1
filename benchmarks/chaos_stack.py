"""A stack on which a chaos run ingests planned files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from uuid import UUID

import boto3
import httpx

from benchmarks.chaos import ChaosDispatcher, ChaosRun
from benchmarks.file_plan import Outcome, PlannedFile
from benchmarks.hash_embedder import hash_embedder
from benchmarks.product import in_process_services, new_collection, start_product
from modulo.adapters.system_clock import SystemClock
from modulo.domain.files.file import File, FileRef
from modulo.domain.pagination import Cursor
from modulo.domain.tenancy.identity import Principal, api_key_hash
from modulo.services import Services

LEASE_SECONDS, VISIBILITY_SECONDS = 5, 10
SMALL = {
    "INGEST_LEASE_SECONDS": str(LEASE_SECONDS),
    "INGEST_PART_PAGES": "3",
    "INGEST_PART_BYTES": "4096",
    "RETRY_BASE_SECONDS": "1",
}
"""Small files are split into parts, and failed runs are retried soon."""
LATER = 15
"""Number of uploads between a file's upload and its replacement or deletion."""
STORES = ("postgres", "valkey", "milvus", "cloud")


@dataclass(slots=True)
class ChaosStack:
    """A running stack, an API client, and the variables of the function environments."""

    services: Services
    client: httpx.Client
    key: str
    variables: Mapping[str, str]

    def ingest(self, plan: Sequence[PlannedFile], chaos: ChaosRun, name: str) -> Outcome:
        """Upload the planned files during the chaos run, wait until all are finished, and return their final state."""
        collection = new_collection(self.client, name)
        queues = {"ingest_file": self.services.ingests, "purge": self.services.purges}
        dispatcher = ChaosDispatcher(self.variables, queues, chaos)
        with ThreadPoolExecutor(1) as uploader:
            uploaded = uploader.submit(self._upload_all, plan, collection)

            def ended() -> bool:
                quiet = uploaded.done() and dispatcher.idle and not self._queued()
                return quiet and not any(file.stage.unfinished for file in self._files(collection))

            dispatcher.run_until(ended, describe=lambda: Counter(file.stage for file in self._files(collection)))
            uploaded.result()
        self._purge_all(dispatcher)
        return self._outcome(collection)

    def _purge_all(self, dispatcher: ChaosDispatcher) -> None:
        """Sweeps requeue lost purges only after a delay: set the clock ahead to skip it."""
        clock, self.services.clock = self.services.clock, HourAheadClock()
        try:
            dispatcher.run_until(lambda: dispatcher.idle and not self._queued(), describe=self._queued)
        finally:
            self.services.clock = clock

    def _upload_all(self, plan: Sequence[PlannedFile], collection: str) -> None:
        """Upload each file and, `LATER` uploads later, its replacement or deletion."""
        ids: dict[str, str] = {}
        for one, earlier in zip((*plan, *[None] * LATER), (*[None] * LATER, *plan), strict=True):
            if one:
                ids[one.name] = self._upload(collection, one.name, one.contents[0])
            if earlier and earlier.deleted:
                self.client.delete(f"/collections/{collection}/files/{ids[earlier.name]}").raise_for_status()
            if earlier and len(earlier.contents) > 1:
                while not self._upload(collection, earlier.name, earlier.contents[1]):
                    sleep(0.1)

    def _upload(self, collection: str, name: str, content: bytes) -> str:
        """Upload a file; its id, or "" if its name is still being ingested (409)."""
        answer = self.client.post(f"/collections/{collection}/files", files={"file": (name, content)})
        if answer.status_code == 409:
            return ""
        answer.raise_for_status()
        return str(answer.json()["file_id"])

    def _queued(self) -> int:
        """Number of messages waiting or in flight in the queues."""
        return self.services.ingests.pending() + self.services.purges.pending()

    @property
    def _principal(self) -> Principal:
        found = self.services.identities.principal_of(api_key_hash(self.key), now=self.services.clock.now())
        if found is None:
            raise RuntimeError("the benchmark's API key is unknown to the stack")
        return found

    def _files(self, collection: str) -> list[File]:
        found: list[File] = []
        after = None
        while True:
            page = self.services.files.list_files(self._principal, UUID(collection), after=after, limit=200, stage=None)
            found += page.items
            if page.next is None:
                return found
            after = Cursor.decode(page.next)

    def _outcome(self, collection: str) -> Outcome:
        principal, store = self._principal, self.services.vectors
        space = self.services.grants.grant(principal, UUID(collection)).space
        files = {file.name: file for file in self._files(collection)}
        texts = {
            name: store.texts(space, FileRef(principal.tenant_id, file.collection_id, file.id, file.live_generation))
            for name, file in files.items()
            if file.live_generation is not None
        }
        return Outcome({name: file.stage for name, file in files.items()}, texts, store.count(space))


class HourAheadClock(SystemClock):
    """A clock set one hour ahead."""

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC) + timedelta(hours=1)


def queue_urls(services: Services) -> tuple[str, str]:
    """URLs of the tested functions' queues."""
    return services.settings.address("ingest_queue_url"), services.settings.address("purge_queue_url")


@contextmanager
def chaos_stack(
    settings: Mapping[str, str] = SMALL, *, visibility_seconds: int = VISIBILITY_SECONDS
) -> Iterator[ChaosStack]:
    """A stack without workers: only the API runs, and the caller runs the event functions."""
    with (
        hash_embedder() as models,
        start_product(services=STORES, settings={**models, **settings}, workers=()) as product,
        product.client() as client,
        in_process_services(product.environment) as services,
    ):
        sqs = boto3.Session().client("sqs")
        for url in queue_urls(services):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(visibility_seconds)})
        yield ChaosStack(services, client, product.key, product.environment)
