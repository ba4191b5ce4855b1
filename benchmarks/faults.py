"""Is anything lost, doubled or stuck where functions die and events come twice, late and in any order?"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter, sleep
from uuid import UUID

import boto3
import httpx

from benchmarks import corpus
from benchmarks.measuring import Report, alone
from benchmarks.mortal import Deliverer, Ordeal
from benchmarks.product import inside, new_collection, running
from modulo.adapters.system_clock import SystemClock
from modulo.domain.file import File, FileRef, Stage
from modulo.domain.identity import Principal, api_key_hash
from modulo.domain.transfer import Cursor
from modulo.services import Services

FILES = 1_000
KILLED, DOUBLED = 0.45, 0.3
"""Some of the runs that are to be killed end before."""
REPLACED, DELETED, UNREADABLE = 0.06, 0.04, 0.05
LEASE_SECONDS, VISIBILITY_SECONDS = 5, 10
MODELS = {"EMBEDDING_URL": "memory:", "RERANK_URL": "none:"}
SMALL = {
    "INGEST_LEASE_SECONDS": str(LEASE_SECONDS),
    "INGEST_PART_PAGES": "3",
    "INGEST_PART_BYTES": "4096",
    "RETRY_BASE_SECONDS": "1",
}
"""Little is enough for a file to be divided, and what died is soon tried again."""
LATER = 15
"""So many uploads lie between one and its replacement or deletion."""
STORES = ("postgres", "valkey", "milvus", "cloud")


@dataclass(frozen=True, slots=True)
class Planned:
    """A file: the contents uploaded under its name, one after the other, and whether it is then deleted."""

    name: str
    contents: tuple[bytes, ...]
    deleted: bool = False
    readable: bool = True

    @property
    def ends(self) -> Stage | None:
        """How it has to end; None where it is gone."""
        return None if self.deleted else Stage.ready if self.readable else Stage.failed


def planned(count: int, *, seed: int) -> list[Planned]:
    """Files of every format and of one to eight pages; some replaced, some deleted, some unreadable."""
    chance = random.Random(seed)
    formats = list(corpus.FORMATS.items())
    found = []
    for number in range(count):
        ending, write = formats[number % len(formats)]
        drawn = chance.random()
        if REPLACED <= drawn < REPLACED + UNREADABLE:
            found.append(Planned(f"{number}.pdf", (b"%%PDF-1.7\n%d" % number,), readable=False))
            continue
        pages = [chance.choice((1, 1, 2, 8)) for _ in range(2 if drawn < REPLACED else 1)]
        contents = [write(corpus.sections(length, seed=seed + 10 * number + v)) for v, length in enumerate(pages)]
        found.append(Planned(f"{number}.{ending}", tuple(contents), deleted=drawn > 1 - DELETED))
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the files of one collection: the stage and the texts of each."""

    stages: Mapping[str, Stage]
    texts: Mapping[str, Sequence[str]]
    rows: int
    """In the vector store, whether they belong to a file or not."""


@dataclass(slots=True)
class World:
    """One stack, its user, and what the environments are told."""

    services: Services
    client: httpx.Client
    key: str
    variables: Mapping[str, str]

    def ingest(self, plan: Sequence[Planned], ordeal: Ordeal, name: str) -> Outcome:
        """Upload everything while the environments work, wait until all has ended, and look."""
        collection = new_collection(self.client, name)
        queues = {"ingest_file": self.services.ingests, "purge": self.services.purges}
        deliverer = Deliverer(self.variables, queues, ordeal)
        with ThreadPoolExecutor(1) as uploader:
            uploaded = uploader.submit(self._upload_all, plan, collection)

            def ended() -> bool:
                quiet = uploaded.done() and deliverer.idle and not self._queued()
                return quiet and not any(file.stage.unfinished for file in self._files(collection))

            deliverer.until(ended, told=lambda: Counter(file.stage for file in self._files(collection)))
            uploaded.result()
        self._purge_all(deliverer)
        return self._outcome(collection)

    def _purge_all(self, deliverer: Deliverer) -> None:
        """A sweep names purges that got lost only after a while: go there at once."""
        present, self.services.clock = self.services.clock, Ahead()
        try:
            deliverer.until(lambda: deliverer.idle and not self._queued(), told=self._queued)
        finally:
            self.services.clock = present

    def _upload_all(self, plan: Sequence[Planned], collection: str) -> None:
        """Each file, and a little later what becomes of it: other contents, or its deletion."""
        ids: dict[str, str] = {}
        for one, before in zip((*plan, *[None] * LATER), (*[None] * LATER, *plan), strict=True):
            if one:
                ids[one.name] = self._upload(collection, one.name, one.contents[0])
            if before and before.deleted:
                self.client.delete(f"/collections/{collection}/files/{ids[before.name]}").raise_for_status()
            if before and len(before.contents) > 1:
                while not self._upload(collection, before.name, before.contents[1]):
                    sleep(0.1)

    def _upload(self, collection: str, name: str, content: bytes) -> str:
        """The file's id; none where it is being ingested just now."""
        answer = self.client.post(f"/collections/{collection}/files", files={"file": (name, content)})
        if answer.status_code == 409:
            return ""
        answer.raise_for_status()
        return str(answer.json()["file_id"])

    def _queued(self) -> int:
        """Messages that wait or are under way."""
        return self.services.ingests.pending() + self.services.purges.pending()

    @property
    def _principal(self) -> Principal:
        found = self.services.metadata.principal_of(api_key_hash(self.key), now=self.services.clock.now())
        if found is None:
            raise RuntimeError("the key is not known")
        return found

    def _files(self, collection: str) -> list[File]:
        found: list[File] = []
        after = None
        while True:
            page = self.services.metadata.list_files(
                self._principal, UUID(collection), after=after, limit=200, stage=None
            )
            found += page.items
            if page.next is None:
                return found
            after = Cursor.decode(page.next)

    def _outcome(self, collection: str) -> Outcome:
        principal, store = self._principal, self.services.vectors
        space = self.services.metadata.grant(principal, UUID(collection)).space
        files = {file.name: file for file in self._files(collection)}
        texts = {
            name: store.texts(space, FileRef(principal.tenant_id, file.collection_id, file.id, file.live_generation))
            for name, file in files.items()
            if file.live_generation is not None
        }
        return Outcome({name: file.stage for name, file in files.items()}, texts, store.count(space))


class Ahead(SystemClock):
    """A clock that is an hour fast."""

    def now(self) -> datetime:
        """See `ports.Clock`."""
        return datetime.now(UTC) + timedelta(hours=1)


def queue_urls(services: Services) -> tuple[str, str]:
    """The queues of the functions that are put to the test."""
    return services.settings.ingest_queue_url, services.settings.purge_queue_url


def differences(plan: Sequence[Planned], found: Outcome, clean: Outcome) -> dict[str, list[str]]:
    """What became of files that should not have: by kind, their names."""
    due = {one.name: one.ends for one in plan if one.ends}
    unended = [name for name, stage in found.stages.items() if stage.unfinished]
    wrong = [name for name, stage in found.stages.items() if not stage.unfinished and stage is not due.get(name)]
    known = sum(map(len, found.texts.values()))
    return {
        "lost": [name for name in due if name not in found.stages],
        "stuck": unended,
        "ended wrong": wrong,
        "other than in a clean run": [name for name in due if found.texts.get(name) != clean.texts.get(name)],
        "chunks of no file": ["chunk"] * (found.rows - known),
    }


@contextmanager
def suffering(settings: Mapping[str, str] = SMALL, *, visibility_seconds: int = VISIBILITY_SECONDS) -> Iterator[World]:
    """A stack on which nothing runs but the API: its functions are to be run by the test."""
    with (
        running(services=STORES, settings={**MODELS, **settings}, workers=()) as product,
        product.client() as client,
        inside(product.environment) as services,
    ):
        sqs = boto3.Session().client("sqs")
        for url in queue_urls(services):
            sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(visibility_seconds)})
        yield World(services, client, product.key, product.environment)


def measure(report: Report) -> None:
    """Ingest the same files twice: undisturbed, and with every fault at once."""
    plan = planned(FILES, seed=11)
    ordeal = Ordeal(KILLED, DOUBLED, random.Random(12))
    with suffering() as world:
        started = perf_counter()
        clean = world.ingest(plan, Ordeal(0, 0, ordeal.chance), "undisturbed")
        undisturbed = perf_counter() - started
        found = world.ingest(plan, ordeal, "disturbed")
        disturbed = perf_counter() - started - undisturbed
    wrong = differences(plan, found, clean)
    rows = [
        ("files", len(plan)),
        *((f"to end {end}", number) for end, number in Counter(one.ends or "deleted" for one in plan).items()),
        ("chunks", found.rows),
        ("runs of functions", ordeal.runs),
        ("killed in the midst", f"{ordeal.deaths / ordeal.runs:.0%}"),
        ("messages that came twice", f"{ordeal.copies / ordeal.deliveries:.0%}"),
        *wrong_rows(wrong),
        ("seconds undisturbed", undisturbed),
        ("seconds disturbed", disturbed),
    ]
    report.table("Ingestion where functions die and events come twice and in any order", ("", ""), rows)
    for kind, names in wrong.items():
        report.figure(f"faults.{kind.replace(' ', '_')}", len(names), "files", "count", target=("==", 0))
    report.figure("faults.killed", ordeal.deaths / ordeal.runs, "of the runs", "ratio", target=(">=", 0.2))


def wrong_rows(wrong: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """How many of each kind, and the first of them."""
    for kind, names in wrong.items():
        yield kind, f"{len(names)} {', '.join(names[:5])}".strip()


if __name__ == "__main__":
    alone(measure)
