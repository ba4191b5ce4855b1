"""Places of words on the page: PDFium's own search and its way to the screen say where each of them is."""

import ctypes
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, product

import pypdfium2 as pdfium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdfium2 import raw

from modulo.adapters.parsing.pdf.parser import PdfParser
from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk
from modulo.domain.documents.document import Page
from modulo.domain.documents.placement import PageBox
from modulo.domain.ingestion.chunking import chunk
from tests.raw_pdf import RawPdf, shown

SCREEN = 1_000_000
ROUNDING = 0.001
"""Of the page's sides: boxes are told in thousandths."""
SPACE = 0.012
"""Half of the white space on either side belongs to a word's box."""
Sides = tuple[float, float, float, float]


def read(content: bytes) -> list[Page]:
    return list(PdfParser().parse(io.BytesIO(content)).pages())


def chunks_of(content: bytes, max_tokens: int = 200, overlap: int = 40) -> list[Chunk]:
    return list(chunk(read(content), Chunking(max_tokens=max_tokens, overlap_tokens=overlap)))


def drawn_at(content: bytes, words: Iterable[str], page_number: int = 1) -> dict[str, Sides]:
    """Where PDFium draws each word: in fractions of the page's sides, from the top left corner."""
    document = pdfium.PdfDocument(content)
    page = document[page_number - 1]
    text = page.get_textpage()
    found = {}
    for word in words:
        match = text.search(word, match_case=True).get_next()
        assert match is not None, word
        corners = []
        for index in range(match[0], match[0] + match[1]):
            left, bottom, right, top = text.get_charbox(index)
            corners += [on_screen(page, x, y) for x, y in product((left, right), (bottom, top))]
        across, down = zip(*corners, strict=True)
        found[word] = (min(across), min(down), max(across), max(down))
    document.close()
    return found


def on_screen(page: pdfium.PdfPage, x: float, y: float) -> tuple[float, float]:
    across, down = ctypes.c_int(), ctypes.c_int()
    assert raw.FPDF_PageToDevice(page.raw, 0, 0, SCREEN, SCREEN, 0, x, y, across, down)
    return across.value / SCREEN, down.value / SCREEN


def around(boxes: Sequence[PageBox]) -> Sides:
    return min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes)


def told_in(where: Chunk) -> str:
    """The chunk's text without the header that it repeats of a table that goes on."""
    return where.text[len(where.text) - (where.end - where.start) :]


def boxes_of(where: Chunk, word: str) -> tuple[PageBox, ...]:
    start = where.start + told_in(where).index(word)
    return where.boxes(start, start + len(word))


def check(content: bytes, words: Sequence[str], chunks: Sequence[Chunk], loose: float = 0.03) -> None:
    """Each word, in each chunk that holds it, has one box: over the word, and over little more."""
    drawn = drawn_at(content, words)
    seen = set()
    for one, word in product(chunks, words):
        if word not in told_in(one):
            continue
        seen.add(word)
        boxes = boxes_of(one, word)
        assert len(boxes) == 1, (word, boxes)
        left, top, right, bottom = around(boxes)
        x0, y0, x1, y1 = drawn[word]
        assert left <= x0 + ROUNDING, word
        assert top <= y0 + ROUNDING, word
        assert right >= x1 - ROUNDING, word
        assert bottom >= y1 - ROUNDING, word
        assert right - left < x1 - x0 + loose, word
        assert bottom - top < y1 - y0 + loose, word
    assert seen == set(words)


def distinct_words(number: int) -> list[str]:
    """Words that are in none of the others."""
    letters = "abcdefghik"
    return [
        f"w{letters[n // 100]}{letters[n // 10 % 10]}{letters[n % 10]}" + "mnop"[: n % 5] + "z" for n in range(number)
    ]


def prose(words: Iterator[str], left: float, top: float, lines: int, a_line: int) -> Iterator[bytes]:
    for number in range(lines):
        said = [next(words) for _ in range(a_line)]
        stop = "." if number % 3 == 2 else ""
        yield shown(
            " ".join(said).capitalize() + stop if number % 3 == 0 else " ".join(said) + stop, left, top - 14 * number
        )


def columns(words: Iterator[str], left: float, top: float, lines: int, a_line: int) -> Iterator[bytes]:
    yield from prose(words, left, top, lines, a_line)
    yield from prose(words, left + 290, top, lines, a_line)


def rows(words: Iterator[str], left: float, top: float, lines: int, a_line: int) -> Iterator[bytes]:
    for number, column in product(range(lines), range(a_line)):
        yield shown(next(words), left + 100 * column, top - 20 * number)


def cells_in_columns(words: Iterator[str], left: float, top: float, lines: int, a_line: int) -> Iterator[bytes]:
    """A ruled table that is written column by column, with two lines in each cell."""
    for column, number in product(range(a_line), range(lines)):
        yield shown(next(words), left + 100 * column + 4, top - 40 * number)
        yield shown(next(words), left + 100 * column + 4, top - 40 * number - 14)
    for number in range(lines + 1):
        y = top + 20 - 40 * number
        yield b"%f %f m %f %f l S\n" % (left, y, left + 100 * a_line, y)
    for column in range(a_line + 1):
        x = left + 100 * column
        yield b"%f %f m %f %f l S\n" % (x, top + 20, x, top + 20 - 40 * lines)


LAYOUTS = {"prose": prose, "columns": columns, "rows": rows, "cells in columns": cells_in_columns}


class TestWords:
    @settings(max_examples=60, deadline=None)
    @given(
        layout=st.sampled_from(sorted(LAYOUTS)),
        rotate=st.sampled_from((0, 90, 180, 270)),
        corner=st.tuples(st.integers(-300, 300), st.integers(-300, 300)),
        margin=st.sampled_from((0, 60)),
        lines=st.integers(3, 9),
        a_line=st.integers(2, 4),
        max_tokens=st.sampled_from((32, 60, 200)),
    )
    def test_a_box_is_over_its_word(
        self,
        layout: str,
        rotate: int,
        corner: tuple[int, int],
        margin: int,
        lines: int,
        a_line: int,
        max_tokens: int,
    ) -> None:
        """However the page is turned and cropped and wherever its corner is, in each of the chunks that overlap."""
        x, y = corner
        words = distinct_words(200)
        used = count()
        taken = (words[next(used)] for _ in words)
        drawing = b"".join(LAYOUTS[layout](taken, x + 40, y + 700, lines, a_line))
        outer = (x - margin, y - margin, x + 612 + margin, y + 792 + margin)
        box = "/MediaBox[{} {} {} {}]/CropBox[{} {} {} {}]".format(*outer, x, y, x + 612, y + 792)
        content = RawPdf([drawing], rotate=rotate, box=box).content()
        told = read(content)[0]
        text = " ".join(block.text for block in told.blocks)
        shown_words = [one if one in text else one.capitalize() for one in words[: next(used)]]
        check(content, shown_words, chunks_of(content, max_tokens, max_tokens // 4))

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_text_that_is_turned_beside_text_that_is_not(self, degrees: int) -> None:
        turned = b"".join(
            shown(words, 300 + across, 400 + up, degrees=degrees)
            for words, across, up in (("quiet harbour", 20, 20), ("distant thunder", -40, -40))
        )
        upright = shown("Seven upright words stand here above others", 60, 700)
        words = ["quiet", "harbour", "distant", "thunder", "Seven", "upright", "others"]
        content = RawPdf([upright + turned]).content()
        check(content, words, chunks_of(content))

    def test_words_that_the_end_of_a_line_cuts(self) -> None:
        """Each part has its box, the hyphen with the first, whether it is part of the word or not."""
        lines = (
            "The first column speaks of the impor-",
            "tance of dams. All dams are well-",
            "known to be of importance here.",
        )
        content = RawPdf([b"".join(shown(line, 60, 700 - 14 * at) for at, line in enumerate(lines))]).content()
        (only,) = chunks_of(content)
        assert only.text.startswith("The first column speaks of the importance of dams.")
        first, second = boxes_of(only, "importance")
        drawn = drawn_at(content, ["impor", "tance", "known"])
        assert first.x0 <= drawn["impor"][0] + ROUNDING
        assert first.x1 > drawn["impor"][2] + ROUNDING
        assert second.x1 >= drawn["tance"][2] - ROUNDING
        assert first.y1 < second.y1
        assert boxes_of(only, "to be of importance here.")[0].x0 >= drawn["known"][2] - ROUNDING

    def test_dot_leaders_lose_their_own_place_only(self) -> None:
        content = RawPdf([shown("Introduction to dams . . . . . . . . . . . . . . 17 pages", 60, 700)]).content()
        (only,) = chunks_of(content)
        assert "\u2026" in only.text
        check(content, ["Introduction", "dams", "pages"], [only])


class TestLines:
    def test_lines_from_right_to_left_are_told_whole(self) -> None:
        """Some of their words are moved while they are put in order."""
        said = "\u05e9\u05dc\u05d5\u05dd \u05dc\u05db\u05dd 2024"
        content = RawPdf([shown(said[::-1], 100, 700, font="U") + shown(said[::-1], 100, 640, font="U")]).content()
        found = [(one.boxes(one.start, one.start + 1), one.boxes(one.end - 1, one.end)) for one in chunks_of(content)]
        document = pdfium.PdfDocument(content)
        page = document[0]
        text = page.get_textpage()
        corners = [
            text.get_charbox(index) for index in range(text.count_chars()) if text.get_text_range(index, 1).strip()
        ]
        left, right = min(box[0] for box in corners) / 612, max(box[2] for box in corners) / 612
        document.close()
        assert found
        for first, last in found:
            for box in (*first, *last):
                assert box.x0 <= left + ROUNDING
                assert box.x1 >= right - ROUNDING

    def test_text_at_an_angle_has_no_box(self) -> None:
        content = RawPdf(
            [shown("Seven upright words stand here", 60, 700) + shown("DRAFT", 200, 300, degrees=45)]
        ).content()
        chunks = chunks_of(content)
        (watermark,) = [one for one in chunks if "DRAFT" in one.text]
        assert boxes_of(watermark, "DRAFT") == ()
        (upright,) = [one for one in chunks if "Seven" in one.text]
        assert len(boxes_of(upright, "upright")) == 1

    def test_text_that_hangs_over_the_edge_is_cut_there(self) -> None:
        (only,) = chunks_of(RawPdf([shown("Words that go on and on over the edge of the page", 400, 700)]).content())
        assert all(
            0 <= side <= 1 for box in only.boxes(only.start, only.end) for side in (box.x0, box.y0, box.x1, box.y1)
        )

    def test_a_table_that_goes_on_takes_no_places_for_its_header(self) -> None:
        """The header is that of the page before."""
        header = [("Name", 60), ("Year 2019", 260), ("Year 2020", 420)]
        rows = [[(f"Row{number}", 60), (f"{number},100", 260), (f"{number},200", 420)] for number in range(1, 9)]

        def drawn(rows: Sequence[Sequence[tuple[str, int]]], top: int) -> bytes:
            return b"".join(shown(cell, x, top - 20 * at) for at, row in enumerate(rows) for cell, x in row)

        content = RawPdf([drawn([header, *rows[:4]], 160), drawn(rows[4:], 760)]).content()
        second = [one for one in chunks_of(content) if one.page == 2]
        (table,) = second
        assert table.text.startswith("Name")
        assert boxes_of(table, "Name") == boxes_of(table, "Year 2019") == ()
        check_page = drawn_at(content, ["Row5", "5,100"], page_number=2)
        for word, (x0, y0, x1, y1) in check_page.items():
            (box,) = boxes_of(table, word)
            assert box.x0 <= x0 + ROUNDING < x1 - ROUNDING <= box.x1
            assert box.y0 <= y0 + ROUNDING < y1 - ROUNDING <= box.y1
