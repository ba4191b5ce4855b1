"""Does a search, or an ingested chunk, cost more where there is more?"""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from time import perf_counter

from sqlalchemy import text

from benchmarks import corpus
from benchmarks.asking import Functions
from benchmarks.measuring import Report, alone, percentile, spread
from benchmarks.product import Product, inside, new_collection, running
from benchmarks.wires import counted
from modulo.adapters.parsers import parser_for
from modulo.adapters.postgres_engine import engine
from modulo.domain.chunking import chunk
from modulo.domain.collection import Chunking
from modulo.domain.media import TEXT
from modulo.services import Services
from modulo.settings import Settings

MEMORY_MODELS = {"EMBEDDING_URL": "memory:", "RERANK_URL": "memory:", "MAX_UPLOAD_BYTES": str(64 * 1024**2)}
IN_ONE_PART = {"INGEST_PART_BYTES": str(64 * 1024**2)}
TENANTS = (1, 100, 10_000)
FILES = (1, 1_000, 100_000)
CHUNKS = (10, 1_000, 10_000)
SEARCHES = 120
CHUNKS_A_SECTION = 2.75
RETRIEVE = {"retrieve_only": True, "disable_rerank": True}
ADD_TENANTS = """
WITH others AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, :count) n),
     made AS (INSERT INTO tenants (id, name) SELECT id, 'tenant ' || n FROM others RETURNING id),
     people AS (INSERT INTO users (tenant_id, id, name) SELECT id, id, 'user' FROM made RETURNING tenant_id),
     sets AS (
       INSERT INTO collections (tenant_id, id, name, name_key, owner_id, embedding_model, chunking, dedicated,
                                created_at, updated_at)
       SELECT p.tenant_id, p.tenant_id, c.name, c.name_key, p.tenant_id, c.embedding_model, c.chunking, false,
              now(), now()
       FROM people p, collections c WHERE c.id = :collection RETURNING tenant_id, id)
INSERT INTO members (tenant_id, collection_id, user_id, role) SELECT tenant_id, id, tenant_id, 'owner' FROM sets
"""
ADD_FILES = """
WITH others AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, :count) n),
     made AS (
       INSERT INTO files (tenant_id, id, collection_id, name, generation, live_generation, created_by, created_at)
       SELECT c.tenant_id, o.id, c.id, 'file ' || gen_random_uuid(), 1, 1, c.owner_id, now()
       FROM others o, collections c WHERE c.id = :collection RETURNING tenant_id, id)
INSERT INTO generations (tenant_id, file_id, number, source, draft_id, stage, media_type, size_bytes, storage_limit,
                         charged, deadline, chunk_count, content_hash, created_at, updated_at)
SELECT tenant_id, id, 1, 1, gen_random_uuid(), 'ready', 'text/plain', 1, 1, false, now(), 1, '', now(), now() FROM made
"""


@dataclass(frozen=True, slots=True)
class Step:
    """The same search in a world of one size."""

    name: str
    seconds: list[float]
    statements: int
    calls: int


def measure(report: Report) -> None:
    """Grow the metadata step by step and search after each; then ingest ever larger files."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    services = ("postgres", "valkey", "milvus", "cloud")
    with running(services=services, settings=MEMORY_MODELS | IN_ONE_PART, workers=()) as product:
        with product.client() as client:
            collection, other = new_collection(client, "growth"), new_collection(client, "chunks")
        world = World(product, collection)
        world.fill()
        steps = [
            world.step(f"{count:,} {kind if count > 1 else kind[:-1]}", statement, count - before)
            for kind, statement, sizes in (("tenants", ADD_TENANTS, TENANTS), ("files", ADD_FILES, FILES))
            for before, count in pairwise((1, *sizes))
        ]
        _tell_searches(report, steps[: len(TENANTS)], steps[len(TENANTS) :])
        with inside(product.environment) as made:
            _tell_chunks(report, Functions(made, product.key, other))
    report.note("Embeddings come from the in-memory embedder here, so that only the rest is measured.")


@dataclass(slots=True)
class World:
    """A product whose metadata grows around one collection with one file."""

    product: Product
    collection: str
    questions: Iterator[str] = field(default_factory=lambda: iter(corpus.questions(2_000)))

    def fill(self) -> None:
        """Ingest the one file that searches find."""
        with inside(self.product.environment) as services:
            functions = Functions(services, self.product.key, self.collection)
            functions.upload("found.txt", corpus.text(corpus.sections(40, seed=3)))
            functions.ingest(functions.delivery())

    def step(self, name: str, statement: str, count: int) -> Step:
        """Add so many rows, then search."""
        if count:
            self._add(statement, count)
        environment = {**self.product.environment, "API_KEY_CACHE_SECONDS": "3600"}
        with counted(environment) as (counts, rewired), inside(rewired) as services:
            self._search(services, 2)
            counts.clear()
            self._search(services, 1)
            statements, calls = counts["postgres", "statements"], counts["milvus", "calls"]
        with inside(environment) as services:
            self._search(services, 5)
            return Step(name, self._search(services, SEARCHES), statements, calls)

    def _add(self, statement: str, count: int) -> None:
        settings = Settings(database_url=self.product.environment["DATABASE_URL"], database_timeout_seconds=300)
        pool = engine(settings, settings.database_url)
        with pool.begin() as connection:
            connection.execute(text(statement), {"count": count, "collection": self.collection})
            connection.execute(text("ANALYZE"))  # as Postgres does by itself a minute later
        pool.dispose()

    def _search(self, services: Services, times: int) -> list[float]:
        functions = Functions(services, self.product.key, self.collection)
        found = []
        for question in islice(self.questions, times):
            started = perf_counter()
            functions.search(question, **RETRIEVE)
            found.append(perf_counter() - started)
        return found


def _tell_searches(report: Report, tenants: Sequence[Step], files: Sequence[Step]) -> None:
    rows, bars = [], []
    first = percentile(tenants[0].seconds, 0.5)
    for steps in (tenants, files):
        for step in steps:
            p50, p95, _ = spread(step.seconds)
            rows.append((step.name, step.statements, step.calls, p50 * 1e3, p95 * 1e3, p50 / first))
            bars.append((step.name, p50 * 1e3))
            key = f"growth.{step.name.replace(',', '').replace(' ', '_')}"
            report.figure(f"{key}.statements", step.statements, "statements", "count", target=("<=", 2))
            report.figure(f"{key}.calls", step.calls, "calls", "count", target=("<=", 1))
        ratio = percentile(steps[-1].seconds, 0.5) / percentile(steps[0].seconds, 0.5)
        kind = steps[-1].name.split()[1]
        report.figure(f"growth.search.{kind}", ratio, f"x the search with 1 of the {kind}", "ratio", target=("<", 1.5))
    columns = ("metadata", "statements", "Milvus calls", "p50 ms", "p95 ms", "p50 / first")
    title = (
        f"The same search in a growing world; all files beside {TENANTS[-1]:,} tenants and in the searched collection"
    )
    report.table(title, columns, rows)
    report.bars("Uncached retrieval in a growing world", "ms, p50", bars)


def _tell_chunks(report: Report, functions: Functions) -> None:
    functions.upload("first.txt", corpus.text(corpus.sections(2, seed=4)))
    functions.ingest(functions.delivery())
    rows, each = [], []
    for wanted in CHUNKS:
        content = corpus.text(corpus.sections(round(wanted / CHUNKS_A_SECTION), seed=wanted))
        chunks = sum(1 for _ in chunk(parser_for(TEXT).parse(io.BytesIO(content)).pages(), Chunking()))
        functions.upload(f"{wanted}.txt", content)
        delivery = functions.delivery()
        started = perf_counter()
        functions.ingest(delivery)
        seconds = perf_counter() - started
        each.append(seconds / chunks)
        rows.append((chunks, len(content) / 1024**2, seconds, seconds / chunks * 1e3))
    report.table("One file of ever more chunks, ingested", ("chunks", "MB", "seconds", "ms a chunk"), rows)
    most, middle, least = each[-1], each[-2], each[0]
    of_least = f"x a chunk of {CHUNKS[0]}"
    report.figure("growth.chunk.of_smallest", most / least, of_least, "ratio", target=("<=", 1), tolerance=0.5)
    report.figure("growth.chunk.of_middle", most / middle, f"x a chunk of {CHUNKS[1]:,}", "ratio", tolerance=0.5)


if __name__ == "__main__":
    alone(measure)
