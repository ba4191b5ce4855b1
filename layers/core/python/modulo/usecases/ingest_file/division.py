"""Large documents in parts: each part is a message of its own, and the last one to finish publishes the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modulo.domain.documents.chunk import content_hash, numbers_of
from modulo.domain.errors import EmptyFile, GarbledFile, ScannedFile, Unavailable
from modulo.domain.files.file import DocumentInfo
from modulo.domain.ingestion.claim import PartResult
from modulo.domain.operations.messages import IngestRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modulo.domain.documents.document import Part
    from modulo.domain.ingestion.claim import Claim
    from modulo.ports.parsing import Parsed
    from modulo.usecases.ingest_file.limits import IngestLimits
    from modulo.usecases.ingest_file.ports import IngestPorts


def parts_of(parsed: Parsed, limits: IngestLimits) -> tuple[Part, ...]:
    """The parts to ingest a document in; at most one where it is small, or cannot be divided."""
    if parsed.extent is None:
        return ()
    return parsed.extent.parts(limits.part_pages if parsed.extent.unit == "pages" else limits.part_bytes)


def queue_open_parts(claim: Claim, ports: IngestPorts) -> bool:
    """Queue a message for each part that is not ingested yet; whether there was any."""
    open_parts = [state.part.number for state in ports.parts.parts(claim.ref) if state.result is None]
    for number in open_parts:
        ports.ingests.send(IngestRequest(claim.ref, number).body())
    return bool(open_parts)


def verified_whole(claim: Claim, ports: IngestPorts, *, recognises: bool) -> PartResult:
    """The result of a generation whose parts are all ingested, once the vector store holds their chunks.

    Raises:
        EmptyFile, ScannedFile: they hold no text.
        GarbledFile: nearly all of their text is garbled.
        Unavailable: the vector store holds another number of chunks.
    """
    parts = ports.parts.parts(claim.ref)
    whole = _combined([state.result for state in parts if state.result])
    reading = whole.info.reading
    if reading and (reading.is_garbage or (not whole.chunk_count and reading.is_unmapped)):
        raise GarbledFile
    if not whole.chunk_count:
        scanned = ScannedFile.unrecognised if recognises else ScannedFile
        raise scanned() if whole.info.scanned_pages else EmptyFile
    ports.vectors.flush(claim.space)
    stored = ports.vectors.count(claim.space, file_id=claim.ref.file_id, generation=claim.ref.generation)
    if stored > whole.chunk_count:  # after a crash, Milvus may count a row twice, whose text is read once
        numbers = [numbers_of(state.part.number) for state in parts]
        stored = sum(len(ports.vectors.texts(claim.space, claim.ref, each)) for each in numbers)
    if stored != whole.chunk_count:
        detail = f"The vector store holds {stored} of {whole.chunk_count} chunks."
        raise Unavailable(detail, dependency="milvus")
    return whole


def _combined(parts: Sequence[PartResult]) -> PartResult:
    """The parts' results as one; the hash is one over theirs."""
    count = sum(part.chunk_count for part in parts)
    info = DocumentInfo.together([part.info for part in parts])
    return PartResult(count, content_hash(part.content_hash for part in parts), info)
