"""Do a search and an ingested chunk cost more when there are more tenants, files and chunks?"""

import asyncio
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from time import perf_counter

from sqlalchemy import text

from benchmarks import corpus
from benchmarks.hash_embedder import hash_embedder
from benchmarks.product import Product, in_process_services, new_collection, start_product
from benchmarks.report import Report, percentile, run_question, spread
from benchmarks.search_clients import FunctionClient
from benchmarks.traffic import count_traffic
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.postgres.engine import engine
from modulo.domain.collections.collection import Chunking
from modulo.domain.files.media import TEXT
from modulo.domain.ingestion.chunking import chunk
from modulo.services import Services
from modulo.settings import Settings

LARGE_UPLOADS = {"MAX_UPLOAD_BYTES": str(64 * 1024**2)}
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
    """The same search measured at one size of the metadata."""

    name: str
    seconds: list[float]
    statements: int
    calls: int


def measure(report: Report) -> None:
    """Grow the metadata step by step and search after each step; then ingest increasingly large files."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    services = ("postgres", "valkey", "milvus", "cloud")
    with (
        hash_embedder() as models,
        start_product(services=services, settings=models | LARGE_UPLOADS | IN_ONE_PART, workers=()) as product,
    ):
        with product.client() as client:
            collection, other = new_collection(client, "growth"), new_collection(client, "chunks")
        metadata = GrowingMetadata(product, collection)
        metadata.fill()
        steps = [
            metadata.step(f"{count:,} {kind if count > 1 else kind[:-1]}", statement, count - before)
            for kind, statement, sizes in (("tenants", ADD_TENANTS, TENANTS), ("files", ADD_FILES, FILES))
            for before, count in pairwise((1, *sizes))
        ]
        _report_searches(report, steps[: len(TENANTS)], steps[len(TENANTS) :])
        with in_process_services(product.environment) as made:
            _report_chunks(report, FunctionClient(made, product.key, other))
    report.note("Embeddings come from the in-memory embedder here, so that only the rest is measured.")


@dataclass(slots=True)
class GrowingMetadata:
    """A product whose metadata grows around one collection with one searched file."""

    product: Product
    collection: str
    questions: Iterator[str] = field(default_factory=lambda: iter(corpus.questions(2_000)))

    def fill(self) -> None:
        """Ingest the file that searches find."""
        with in_process_services(self.product.environment) as services:
            functions = FunctionClient(services, self.product.key, self.collection)
            functions.upload("found.txt", corpus.text(corpus.sections(40, seed=3)))
            functions.ingest(functions.receive_upload())

    def step(self, name: str, statement: str, count: int) -> Step:
        """Add `count` rows with the statement, then measure the search."""
        if count:
            self._add(statement, count)
        environment = {**self.product.environment, "API_KEY_CACHE_SECONDS": "3600"}
        with (
            count_traffic(environment) as (counts, proxied_environment),
            in_process_services(proxied_environment) as services,
        ):
            self._search(services, 2)
            counts.clear()
            self._search(services, 1)
            statements, calls = counts["postgres", "statements"], counts["milvus", "calls"]
        with in_process_services(environment) as services:
            self._search(services, 5)
            return Step(name, self._search(services, SEARCHES), statements, calls)

    def _add(self, statement: str, count: int) -> None:
        settings = Settings(database_url=self.product.environment["DATABASE_URL"], database_timeout_seconds=300)
        pool = engine(settings, settings.address("database_url"))
        with pool.begin() as connection:
            connection.execute(text(statement), {"count": count, "collection": self.collection})
            connection.execute(text("ANALYZE"))  # autovacuum would run it a minute later
        pool.dispose()

    def _search(self, services: Services, times: int) -> list[float]:
        functions = FunctionClient(services, self.product.key, self.collection)
        found = []
        for question in islice(self.questions, times):
            started = perf_counter()
            functions.search(question, **RETRIEVE)
            found.append(perf_counter() - started)
        return found


def _report_searches(report: Report, tenants: Sequence[Step], files: Sequence[Step]) -> None:
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
    title = f"The same search with growing metadata; files are added to its collection, beside {TENANTS[-1]:,} tenants"
    report.table(title, columns, rows)
    report.bars("Uncached retrieval with growing metadata", "ms, p50", bars)


def _report_chunks(report: Report, functions: FunctionClient) -> None:
    functions.upload("first.txt", corpus.text(corpus.sections(2, seed=4)))
    functions.ingest(functions.receive_upload())
    rows, each = [], []
    for wanted in CHUNKS:
        content = corpus.text(corpus.sections(round(wanted / CHUNKS_A_SECTION), seed=wanted))
        chunks = sum(1 for _ in chunk(parser_for(TEXT).parse(io.BytesIO(content)).pages(), Chunking()))
        functions.upload(f"{wanted}.txt", content)
        delivery = functions.receive_upload()
        started = perf_counter()
        functions.ingest(delivery)
        seconds = perf_counter() - started
        each.append(seconds / chunks)
        rows.append((chunks, len(content) / 1024**2, seconds, seconds / chunks * 1e3))
    report.table("Ingesting one file with more and more chunks", ("chunks", "MB", "seconds", "ms a chunk"), rows)
    largest, middle, smallest = each[-1], each[-2], each[0]
    unit = f"x a chunk of {CHUNKS[0]}"
    report.figure("growth.chunk.of_smallest", largest / smallest, unit, "ratio", target=("<=", 1), tolerance=0.5)
    report.figure("growth.chunk.of_middle", largest / middle, f"x a chunk of {CHUNKS[1]:,}", "ratio", tolerance=0.5)


if __name__ == "__main__":
    run_question(measure)
