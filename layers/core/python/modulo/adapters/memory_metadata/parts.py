"""Divided generations in memory: their parts are claimed and finished one by one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from modulo.adapters.memory_metadata.ingestion import claim_of, held
from modulo.adapters.memory_metadata.store import PartRow, Store
from modulo.domain.document import Part
from modulo.domain.file import UNFINISHED, FileRef, Stage
from modulo.domain.generation import free_part
from modulo.domain.transfer import Claim, Finished, PartResult, PartState


def divide(
    store: Store,
    claimed: Claim,
    parts: Sequence[Part],
    *,
    pages_total: int,
    checksum_sha256: str | None = None,
    lease_until: datetime,
    deadline: datetime,
    now: datetime,
) -> bool:
    """Have these parts ingested one by one."""
    found = held(store, claimed)
    if found is None:
        return False
    generation = found[2]
    generation.stage, generation.divided, generation.updated_at = Stage.embedding, True, now
    generation.lease_until, generation.deadline = lease_until, deadline
    generation.pages_done, generation.pages_total = 0, pages_total
    generation.checksum_sha256 = generation.checksum_sha256 or checksum_sha256
    generation.parts = [PartRow(part) for part in parts]
    return True


def parts(store: Store, ref: FileRef) -> list[PartState]:
    """The parts, in order."""
    found = store.living(ref)
    return [PartState(row.part, row.result) for row in found[2].parts] if found else []


def claim_part(store: Store, ref: FileRef, number: int, *, now: datetime, lease_until: datetime) -> Claim | None:
    """Take a part that nobody works on."""
    found = store.living(ref)
    if found is None or found[2].stage not in UNFINISHED or number >= len(found[2].parts):
        return None
    generation = found[2]
    row = generation.parts[number]
    if not free_part(row, now):
        return None
    generation.pages_done -= row.pages_done
    generation.lease_until = lease_until
    row.claim_token, row.lease_until = uuid4(), lease_until
    row.attempt, row.pages_done = row.attempt + 1, 0
    return claim_of(*found, ref, row.part)


def finish_part(
    store: Store, claimed: Claim, result: PartResult, *, lease_until: datetime, now: datetime
) -> Finished | None:
    """Record what became of a part; who finishes the last one takes the whole."""
    found = held(store, claimed)
    if found is None or claimed.part is None:
        return None
    generation = found[2]
    row = generation.parts[claimed.part.number]
    row.claim_token, row.lease_until, row.result = None, None, result
    generation.lease_until, generation.updated_at = lease_until, now
    left = sum(not part.done for part in generation.parts)
    if left:
        return Finished(left, None)
    generation.stage, generation.claim_token = Stage.indexing, uuid4()
    return Finished(0, claim_of(*found, claimed.ref))
