"""Parts of chunks: their texts, offsets and places."""

import pytest

from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.placement import PlacedLine, PlacedText

PAGE = "One two three. Four five six.\n\nSeven eight nine."
LINES = [PlacedLine(0, 0, 100, 120, 50, (15, 90, 14, 80)), PlacedLine(31, 0, 140, 160, 50, (6, 40, 11, 70))]
WHOLE = Chunk(3, PAGE, 2, 0, len(PAGE), "Numbers", places=PlacedText(LINES).places(0, len(PAGE)))


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (15, 99, "Four five six.\n\nSeven eight nine."),
        (0, 15, "One two three."),
        (14, 30, "Four five six."),
        (29, 48, "Seven eight nine."),
    ],
)
def test_a_part_keeps_its_place_in_the_page(start: int, end: int, text: str) -> None:
    part = WHOLE.part(start, end)
    assert part is not None
    assert part.text == text == PAGE[part.start : part.end]
    assert (part.number, part.page, part.heading) == (3, 2, "Numbers")
    for at in range(part.start, part.end):
        assert part.boxes(at, at + 1) == WHOLE.boxes(at, at + 1)
    assert part.boxes(part.start, part.end)


def test_the_whole_is_itself_and_white_space_is_nothing() -> None:
    assert WHOLE.part(0, len(PAGE)) is WHOLE
    assert WHOLE.part(29, 31) is None
    assert WHOLE.part(30, 20) is None


def test_a_part_of_a_table_keeps_the_header_in_front_of_its_beginning_alone() -> None:
    rows = Chunk(1, "Year | Sum\n2024 | 5\n2025 | 6", 1, 40, 57, table=0)
    first, last = rows.part(40, 48), rows.part(48, 57)
    assert first is not None
    assert last is not None
    assert (first.text, first.start, first.end) == ("Year | Sum\n2024 | 5", 40, 48)
    assert (last.text, last.start, last.end) == ("2025 | 6", 49, 57)
    assert first.in_page(len("Year | Sum\n")) == 40
    assert last.in_page(0) == 49
