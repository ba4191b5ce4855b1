"""Scanned pages, read by the real Tesseract; what else a picture may hold, by stand-ins."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import BinaryIO

import pytest

from modulo.adapters.parsing.ocr.ocr_parsers import OcrParsers
from modulo.adapters.parsing.ocr.tesseract import RecognitionError, RecognitionLimits, Tesseract
from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.sandbox.isolated_parsers import IsolatedParsers
from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.document import Block, BlockKind, Extent, Page, Part, Picture
from modulo.domain.errors import EmptyFile, EncryptedFile, ScannedFile, Unavailable, UnsupportedFile
from modulo.domain.files import media
from modulo.domain.files.file import DocumentInfo
from modulo.domain.ingestion.chunking import chunk
from tests import documents
from tests.contracts.adapters.parsing.sandbox.test_isolated_parsers import LIMITS
from tests.doubles.memory_metrics import MemoryMetrics

REPORT = documents.pdf(pages=3)
PICTURE = Picture(300, 300, bytes(90_000))
WORD = (
    "<span class='ocr_line' id='line_1_1' title=\"bbox 10 10 200 50; baseline 0 -9; x_size 40; x_descenders 9\">\n"
    "<span class='ocrx_word' id='word_1_1' title='bbox 10 10 200 50; x_wconf {}'>{}</span>\n</span>\n"
)


@pytest.fixture
def metrics() -> MemoryMetrics:
    return MemoryMetrics()


@pytest.fixture
def parse(tesseract_program: Path, metrics: MemoryMetrics) -> Callable[..., tuple[DocumentInfo, list[Page]]]:
    """What the real program finds in a PDF."""
    tesseract = Tesseract("eng", RecognitionLimits(60, 1024**3))
    parsers = OcrParsers(IsolatedParsers(LIMITS, metrics, pictures=True), tesseract, metrics, 9)

    def read(content: bytes, part: Part | None = None) -> tuple[DocumentInfo, list[Page]]:
        parsed = parsers(media.PDF).parse(io.BytesIO(content))
        pages = list(parsed.pages(part))
        return parsed.info, pages

    return read


Parse = Callable[..., tuple[DocumentInfo, list[Page]]]


def outcomes(metrics: MemoryMetrics) -> dict[str, float]:
    return {
        dict(labels)["outcome"]: value
        for (name, labels), value in metrics.counts.items()
        if name == "rag_pages_recognised_total"
    }


def alike(found: Sequence[Block], expected: Sequence[Block]) -> bool:
    """Whether nearly the same was read: a letter may be misread."""
    one, other = ("\n".join(block.text for block in blocks) for blocks in (found, expected))
    return SequenceMatcher(None, one, other, autojunk=False).ratio() > 0.99


class TestReal:
    def test_scanned_pages_among_others(self, parse: Parse, metrics: MemoryMetrics) -> None:
        info, pages = parse(documents.scan(REPORT, pages=[2]))
        own = list(parser_for(media.PDF).parse(io.BytesIO(REPORT)).pages())
        assert [page.number for page in pages] == [1, 2, 3]
        assert [(page.recognised, page.scanned, page.picture) for page in pages] == [
            (False, False, None),
            (True, False, None),
            (False, False, None),
        ]
        assert (info.recognised_pages, info.scanned_pages, info.total_pages) == ((2,), None, 3)
        running_head, *blocks = pages[1].blocks
        assert running_head.text == "Confidential running head"
        assert [block.kind for block in blocks] == [block.kind for block in own[1].blocks]
        assert alike(blocks, own[1].blocks)
        assert outcomes(metrics) == {"recognised": 1}

    def test_a_document_of_scanned_pages(self, parse: Parse) -> None:
        info, pages = parse(documents.scan(REPORT))
        assert (info.recognised_pages, info.scanned_pages, info.language) == ((1, 2, 3), None, "en")
        assert info.headings == tuple(
            heading for number in (1, 2, 3) for heading in (f"Chapter {number}", "Sales by region")
        )
        heads = ["Confidential running head" in [block.text for block in page.blocks] for page in pages]
        assert heads == [True, True, False]  # by the third, it is known to be one
        tables = [block for page in pages for block in page.blocks if block.kind is BlockKind.table]
        assert alike(tables, [Block(BlockKind.table, documents.TABLE_TEXT)] * 3)

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_pages_that_lie_on_their_side(self, parse: Parse, degrees: int) -> None:
        content = documents.pdf(pages=1)
        (own,) = parser_for(media.PDF).parse(io.BytesIO(content)).pages()
        _, (page,) = parse(documents.scan(content, degrees=degrees))
        assert alike(page.blocks, own.blocks)

    def test_columns_and_words_that_the_ends_of_lines_cut(self, parse: Parse) -> None:
        _, (page,) = parse(documents.scan(documents.columns_pdf(times=9)))
        text = " ".join(block.text for block in page.blocks)
        assert text.startswith("The first column speaks of the importance of dams.")
        assert text.endswith("The second column is about well-known rivers. Rivers are well-known. It ends here.")
        assert text.rindex("The first column") < text.index("The second column")

    def test_parts(self, parse: Parse) -> None:
        info, pages = parse(documents.scan(REPORT, pages=[2, 3]), Part(1, 1, 2))
        assert [page.number for page in pages] == [2]
        assert info.recognised_pages == (2,)

    def test_pictures_without_text(self, parse: Parse, metrics: MemoryMetrics) -> None:
        with pytest.raises(ScannedFile, match="no text was recognised"):
            parse(documents.scanned_pdf())
        info, pages = parse(documents.partly_scanned_pdf())
        assert (info.scanned_pages, info.recognised_pages) == ((1, 3), None)
        assert [page.scanned for page in pages] == [True, False, True]
        assert outcomes(metrics) == {"nothing": 4}

    def test_a_page_too_large_for_the_program(self, parse: Parse) -> None:
        long = documents.pictured_pdf(b"", width=10, height=10, size=(14_400, 1))
        with pytest.raises(ScannedFile):
            parse(long)

    def test_the_memory_it_takes(self, tesseract_program: Path, metrics: MemoryMetrics) -> None:
        tesseract = Tesseract("eng", RecognitionLimits(60, 256 * 1024**2))
        parsers = OcrParsers(IsolatedParsers(LIMITS, metrics, pictures=True), tesseract, metrics, 9)
        list(parsers(media.PDF).parse(io.BytesIO(documents.scan(documents.pdf(pages=1)))).pages())
        assert outcomes(metrics) == {"recognised": 1}


@dataclass
class Said(Tesseract):
    """A program that says what it is told to, of each picture in turn; an error is raised."""

    answers: list[str | Exception]
    degrees: int = 0
    seen: list[Picture] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("eng", RecognitionLimits(1, 1))

    def read(self, picture: Picture, deadline: float) -> str:
        self.seen.append(picture)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rotation_of(self, picture: Picture, deadline: float) -> int:
        return self.degrees


@dataclass
class Pictures:
    """A document whose pages are pictures; it may break off."""

    pages_: int
    error: Exception | None = None
    info: DocumentInfo = field(default_factory=DocumentInfo)
    extent: Extent | None = None

    def parse(self, content: BinaryIO) -> "Pictures":
        return self

    def pages(self, part: Part | None = None) -> Iterator[Page]:
        for number in range(1, self.pages_ + 1):
            yield Page(number, (), scanned=True, picture=PICTURE)
        if self.error:
            raise self.error


def recognised(document: Pictures, said: Said, metrics: MemoryMetrics, *, max_pages: int = 99) -> list[Page]:
    parsers = OcrParsers(lambda _: document, said, metrics, max_pages)
    return list(parsers(media.PDF).parse(io.BytesIO()).pages())


class TestWhateverIsSaid:
    def test_a_page_that_fails_is_scanned_still(self, metrics: MemoryMetrics, caplog: pytest.LogCaptureFixture) -> None:
        failures = [RecognitionError(why) for why in ("time", "output", "crash")]
        pages = recognised(Pictures(4), Said([*failures, WORD.format(96, "word")]), metrics)
        assert [page.scanned for page in pages] == [True, True, True, False]
        assert [page.picture for page in pages] == [None] * 4
        (block,) = pages[3].blocks
        assert (block.kind, block.text) == (BlockKind.text, "word")
        assert replace(pages[3], blocks=()) == Page(4, (), recognised=True)
        assert outcomes(metrics) == {"time": 1, "output": 1, "crash": 1, "recognised": 1}
        assert "word" not in caplog.text

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "\x00\xff" * 99,
            "<" * 10**6,
            "<span class='ocr_line' " * 10**5,
            ("<span class='ocr_line' " + "x" * 90) * 10**4,
            "<span class='ocrx_word' title='bbox 1 1 2 2; x_wconf 99'>stray</span>",
            WORD.format(39, "unsure"),
            WORD.format(96, "<em> </em>"),
            WORD.format("nan", "word"),
            WORD.replace("bbox", "box").format(96, "word"),
            WORD.format(96, "word").replace("x_size 40", "x_size " + "9" * 400),
        ],
        ids=range(11),
    )
    def test_nonsense(self, metrics: MemoryMetrics, said: str) -> None:
        pages = recognised(Pictures(2), Said([said, WORD.format(96, "word")]), metrics)
        assert [page.number for page in pages] == [1, 2]
        assert pages[1].recognised

    def test_what_is_not_plain_is_turned(self, metrics: MemoryMetrics) -> None:
        said = Said([WORD.format(30, "pjom"), WORD.format(96, "word")], degrees=90)
        (page,) = recognised(Pictures(1), said, metrics)
        assert page.blocks[0].text == "word"
        assert [(picture.width, picture.height) for picture in said.seen] == [(300, 300)] * 2

    @pytest.mark.parametrize(
        ("degrees", "box"),
        [
            (0, (0.033, 0.032, 0.667, 0.167)),
            (90, (0.032, 0.333, 0.167, 0.967)),
            (180, (0.333, 0.833, 0.967, 0.968)),
            (270, (0.833, 0.033, 0.968, 0.667)),
        ],
    )
    def test_places_are_those_on_the_page_as_it_was_scanned(
        self, metrics: MemoryMetrics, degrees: int, box: tuple[float, ...]
    ) -> None:
        """The word stands at the upper left once the page is upright."""
        said = Said([WORD.format(96 if not degrees else 30, "word"), WORD.format(96, "word")], degrees=degrees)
        (only,) = chunk(recognised(Pictures(1), said, metrics), Chunking())
        (found,) = only.boxes(0, 4)
        assert (found.x0, found.y0, found.x1, found.y1) == pytest.approx(box, abs=0.0011)

    def test_what_is_less_plain_may_be_upright(self, metrics: MemoryMetrics) -> None:
        said = Said([WORD.format(55, "word")])
        assert recognised(Pictures(1), said, metrics)[0].recognised

    def test_turning_is_given_up_where_it_makes_things_worse(self, metrics: MemoryMetrics) -> None:
        said = Said([WORD.format(55, "word"), WORD.format(54, "pjom")], degrees=180)
        assert recognised(Pictures(1), said, metrics)[0].blocks[0].text == "word"

    def test_no_more_pages_than_a_part_has(self, metrics: MemoryMetrics) -> None:
        said = Said([WORD.format(96, "word")] * 3)
        pages = recognised(Pictures(5), said, metrics, max_pages=2)
        assert [page.recognised for page in pages] == [True, True, False, False, False]
        assert len(said.seen) == 2

    def test_a_recognition_that_cannot_work_is_no_scanned_page(self, metrics: MemoryMetrics) -> None:
        with pytest.raises(Unavailable):
            recognised(Pictures(1), Said([Unavailable("absent", dependency="tesseract")]), metrics)

    def test_what_the_parser_refuses(self, metrics: MemoryMetrics) -> None:
        with pytest.raises(EncryptedFile):
            recognised(Pictures(1, EncryptedFile()), Said([WORD.format(96, "word")]), metrics)
        with pytest.raises(EmptyFile):
            recognised(Pictures(0), Said([]), metrics)


class TestOtherTypes:
    def test_they_are_read_as_always(self, metrics: MemoryMetrics) -> None:
        isolated = IsolatedParsers(LIMITS, metrics, pictures=True)
        parsers = OcrParsers(isolated, Said([]), metrics, 9)
        text = parsers(media.TEXT).parse(io.BytesIO(b"Some words."))
        assert [block.text for page in text.pages() for block in page.blocks] == ["Some words."]
        with pytest.raises(UnsupportedFile):
            parsers("image/png")
