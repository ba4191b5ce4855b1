"""Large documents read in parts: the parts together hold what the whole does."""

import io

import pytest

from modulo.adapters.parsing.pdf.parser import PdfParser
from modulo.adapters.parsing.text_parser import TextParser
from modulo.domain.documents.document import Extent, Page, Part
from modulo.ports.parsing import Parsed
from tests import documents

LINES = [f"Line {number} of the log: das Gerät № {number} meldet 20 °C.\n" for number in range(500)]


def words(pages: list[Page]) -> list[str]:
    return " ".join(block.text for page in pages for block in page.blocks).split()


def in_parts(parsed: Parsed, at_most: int) -> list[Page]:
    assert parsed.extent is not None
    return [page for part in parsed.extent.parts(at_most) for page in parsed.pages(part)]


@pytest.mark.parametrize(("length", "at_most", "sizes"), [(0, 5, [0]), (5, 5, [5]), (6, 5, [3, 3]), (11, 5, [3, 4, 4])])
def test_an_extent_is_divided_evenly_without_a_gap(length, at_most, sizes):
    parts = Extent("pages", length).parts(at_most)
    assert [part.end - part.first for part in parts] == sizes
    assert [part.number for part in parts] == list(range(len(sizes)))
    assert [part.first for part in parts[1:]] == [part.end for part in parts[:-1]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("at_most", [10, 1_000, 9_999, 10**6])
def test_text_is_divided_between_lines(encoding, at_most):
    text = "".join(LINES).replace("№", "No") if encoding == "cp1252" else "".join(LINES)
    parsed = TextParser().parse(io.BytesIO(text.encode(encoding)))
    assert words(in_parts(parsed, at_most)) == text.split()


def test_pages_of_divided_text_are_numbered_by_part():
    parsed = TextParser().parse(io.BytesIO("".join(LINES).encode()))
    assert [page.number for page in in_parts(parsed, 10_000)] == [1, 2, 3]


def test_text_without_line_ends_is_divided_between_characters():
    text = "ä€𝄞" * 300_000
    parsed = TextParser().parse(io.BytesIO(text.encode()))
    assert "".join(words(in_parts(parsed, 250_001))) == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_text_of_wide_characters_is_read_whole(encoding):
    parsed = TextParser().parse(io.BytesIO("".join(LINES).encode(encoding)))
    assert parsed.extent is None


def test_a_part_without_text_is_no_error():
    parsed = TextParser().parse(io.BytesIO(b"\n" * 100 + b"Words."))
    assert words(list(parsed.pages(Part(0, 0, 50)))) == []
    assert words(in_parts(parsed, 10)) == ["Words."]


def test_pages_of_a_pdf_are_the_same_in_parts():
    content = io.BytesIO(documents.pdf(pages=7))
    parsed = PdfParser().parse(content)
    assert parsed.extent == Extent("pages", 7)
    assert in_parts(parsed, 3) == list(parsed.pages())
