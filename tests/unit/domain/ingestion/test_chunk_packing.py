"""Packing of units into chunks."""

from modulo.domain.documents.outline import Title
from modulo.domain.ingestion.chunk_packing import Path, Unit, pack


def read_heading(start: int, end: int, *, weight: int, room: int, path: Path = (), lead: int = 0) -> Unit:
    """A heading without a text of its own, which is read as text."""
    titles = tuple(Title(0, title) for title in path)
    return Unit(start, end, weight, path, room, block=start, titles=titles, lead=lead, title=True)


def test_headings_join_none_that_fits_into_no_chunk_of_theirs() -> None:
    units = [
        read_heading(0, 1, weight=10, room=320),
        read_heading(36, 37, weight=10, room=241, path=("a long heading takes room",), lead=78),
        read_heading(39, 74, weight=245, room=320),
    ]
    assert [(chunk.start, chunk.end) for chunk in pack(units, overlap=0)] == [(0, 37), (39, 74)]
