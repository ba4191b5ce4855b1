"""Generations in memory that embed the bytes of others anew."""

from datetime import datetime
from uuid import uuid4

from modulo.adapters.memory_metadata.files import retire
from modulo.adapters.memory_metadata.store import CollectionRow, FileRow, GenerationRow
from modulo.domain.generation import twin


def add_missing(collection: CollectionRow, file: FileRow, generation: GenerationRow, now: datetime) -> None:
    """Have a generation that was just made in one index made in the other ones too that its collection needs.

    One of an index that the collection gave up meanwhile is gone with it; the file then waits for the current one's.
    """
    other, current, own = collection.other_index, collection.index_number, generation.index_number
    if other is not None and other != own:
        add_twin(file, generation, other, now)
    if own == current:
        return
    add_twin(file, generation, current, now)
    if own != other:
        retire(generation, now)
    if file.newest is generation:
        file.generation = len(file.generations)


def add_twin(file: FileRow, generation: GenerationRow, index: int, now: datetime) -> GenerationRow | None:
    """Queue it for another index, or None where it is in it."""
    if any(row.index_number == index and row.retired_at is None for row in file.family(generation)):
        return None
    row = GenerationRow(
        number=len(file.generations) + 1,
        source=generation.source,
        draft_id=uuid4(),
        media_type=generation.media_type,
        size_bytes=generation.size_bytes,
        checksum_sha256=generation.checksum_sha256,
        source_url=generation.source_url,
        etag=generation.etag,
        last_modified=generation.last_modified,
        checked_at=generation.checked_at,
        storage_limit=generation.storage_limit,
        deadline=now,
        created_at=now,
        updated_at=now,
    )
    row.change(twin(index, now))
    file.generations.append(row)
    return row
