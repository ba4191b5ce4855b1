"""What does an HNSW index cost and find among 100,000 chunks, where each search is filtered to one tenant?"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from uuid import UUID, uuid5

import numpy as np
import numpy.typing as npt

from benchmarks.machine import proportional_bytes
from benchmarks.report import Report, percentile, run_question
from modulo.adapters.milvus.collections import CollectionOptions
from modulo.adapters.milvus.vectors import MilvusVectors
from modulo.cli.stack import Stack
from modulo.domain.collections.collection import EmbeddingModel, Space
from modulo.domain.documents.chunk import Chunk, EmbeddedChunk
from modulo.domain.files.file import FileRef
from modulo.domain.search.target import Target

CHUNKS = int(os.environ.get("HNSW_CHUNKS", "100000"))
DIMENSIONS = 384
SHARES: Mapping[str, float] = {"50 %": 0.5, "25 %": 0.25, "10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001}
"""Tenants, named by their share of all chunks. The rest belongs to a further tenant, whom nobody searches."""
QUESTIONS, LIMIT, EF = 50, 10, 64
TOPICS, SPREAD = 1_000, 0.7
"""Vectors lie around so many centres, like embeddings of texts about as many topics."""
BATCH = 2_000
TIMEOUT_SECONDS = 60.0
NAMES = UUID("9b9be7b8-43f0-4f9a-9d5f-7ad2b1f6a001")
MB = 1024**2
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's chunks: `vectors[i]` is that of its chunk number `i`."""

    space: Space
    vectors: Vectors


def vectors_of(number: int, rng: np.random.Generator, centres: Vectors) -> Vectors:
    """Unit vectors around the centres."""
    chosen = centres[rng.integers(len(centres), size=number)]
    noise = rng.standard_normal((number, DIMENSIONS), dtype=np.float32) * np.float32(SPREAD / DIMENSIONS**0.5)
    found: Vectors = chosen + noise
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def tenants_of(index: str, rng: np.random.Generator, centres: Vectors) -> dict[str, Tenant]:
    """Every tenant, by its share; all are in one shared collection of Milvus for each kind of index."""
    model = EmbeddingModel(name=f"bench-{index.lower()}", dimensions=DIMENSIONS)
    shares = {**SHARES, "rest": 1 - sum(SHARES.values())}
    return {
        name: Tenant(
            Space(
                uuid5(NAMES, name), uuid5(NAMES, f"collection {name}"), uuid5(NAMES, "owner"), model, dedicated=False
            ),
            vectors_of(round(CHUNKS * share), rng, centres),
        )
        for name, share in shares.items()
    }


def write(store: MilvusVectors, tenant: Tenant) -> None:
    """Store the tenant's chunks as those of one file."""
    space = tenant.space
    ref = FileRef(space.tenant_id, space.collection_id, uuid5(space.tenant_id, "file"), 1)
    for start in range(0, len(tenant.vectors), BATCH):
        batch = tenant.vectors[start : start + BATCH].tolist()
        chunks = [
            EmbeddedChunk(
                ref, Chunk(start + at, f"chunk {start + at}", 1, 0, 9, "", None), vector, "a.txt", "text/plain"
            )
            for at, vector in enumerate(batch)
        ]
        store.upsert(space, chunks)


def load_again(store: MilvusVectors, space: Space) -> None:
    """Have Milvus Lite build the index: it reports it as finished before, but compares with all vectors until then."""
    store._milvus.call_slow("release_collection", space.name)
    store._milvus.call_slow("load_collection", space.name)


def exact(tenant: Tenant, question: Vectors) -> set[int]:
    """The numbers of the tenant's nearest chunks, by comparing with all of them."""
    return set(np.argsort(-(tenant.vectors @ question))[:LIMIT].tolist())


@dataclass(frozen=True, slots=True)
class Found:
    """What the searches of one tenant found."""

    recall: float
    complete: float
    """The share of searches with as many hits as were asked for."""
    seconds: Sequence[float]


def search(store: MilvusVectors, tenant: Tenant, questions: Vectors) -> Found:
    """Ask each question once, the first twice so that no connection is opened in a measurement."""
    right, full, seconds = 0, 0, []
    for question in [questions[0], *questions]:
        started = perf_counter()
        hits = store.search([Target(tenant.space, question.tolist())], question="", limit=LIMIT)
        seconds.append(perf_counter() - started)
        if len(seconds) > 1:
            right += len({hit.chunk.number for hit in hits} & exact(tenant, question))
            full += len(hits) == min(LIMIT, len(tenant.vectors))
    return Found(right / (min(LIMIT, len(tenant.vectors)) * len(questions)), full / len(questions), seconds[1:])


def measure(report: Report) -> None:
    """Build each index over the same chunks, in a server of its own, and compare with exact search."""
    rows = []
    for index in ("FLAT", "HNSW"):
        rng = np.random.default_rng(7)
        centres = vectors_of(TOPICS, rng, np.zeros((1, DIMENSIONS), dtype=np.float32))
        tenants = tenants_of(index, rng, centres)
        questions = vectors_of(QUESTIONS, rng, centres)
        with (
            tempfile.TemporaryDirectory(prefix="modulo-hnsw-") as folder,
            Stack(Path(folder), ["milvus"], durable=False) as stack,
        ):
            options = CollectionOptions(index=index, full_text=False)
            uri = stack.environment["MILVUS_URI"]
            store = MilvusVectors(uri, timeout=TIMEOUT_SECONDS, hnsw_ef=EF, options=options)
            started = perf_counter()
            for tenant in tenants.values():
                write(store, tenant)
            written = perf_counter() - started
            store.flush(tenants["50 %"].space)
            load_again(store, tenants["50 %"].space)
            built = perf_counter() - started - written
            for share in SHARES:
                found = search(store, tenants[share], questions)
                p50, p95 = (percentile(found.seconds, p) * 1_000 for p in (0.5, 0.95))
                rows.append((index, share, len(tenants[share].vectors), found.recall, found.complete, p50, p95))
                key = f"hnsw.{index.lower()}.{share.replace(' %', '')}"
                report.figure(f"{key}.recall", found.recall, f"recall@{LIMIT}", "ratio")
                report.figure(f"{key}.p50", p50 / 1_000, "s", "time")
            report.figure(f"hnsw.{index.lower()}.write", CHUNKS / written, "chunks/s", "rate")
            report.figure(f"hnsw.{index.lower()}.build", built, "s", "time")
            (pid,) = stack.pids("milvus")
            report.figure(f"hnsw.{index.lower()}.memory", proportional_bytes(pid) / MB, "MB", "bytes")
            store.close()
    columns = ("index", "tenant's share", "its chunks", f"recall@{LIMIT}", "complete results", "p50, ms", "p95, ms")
    report.table(f"{CHUNKS:,} chunks of {DIMENSIONS} dimensions, each search filtered to one tenant", columns, rows)
    report.note(
        f"{QUESTIONS} questions a tenant; M 16, efConstruction 256, ef {EF}. Recall is against a comparison with all "
        "of the tenant's chunks. The server is Milvus Lite, which filters what its HNSW search returned."
    )


if __name__ == "__main__":
    run_question(measure)
