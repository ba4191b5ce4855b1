"""Pictures of a PDF's pages: as sharp as is useful, and never too large."""

import io
import random
import zlib

import pypdfium2 as pdfium
import pytest

from modulo.adapters.parsing.pdf import raster
from modulo.adapters.parsing.pdf.parser import pdf_parser_with_pictures
from modulo.adapters.parsing.pdf.raster import render_page
from modulo.domain.documents.document import MAX_PIXELS, Picture
from modulo.domain.errors import EmptyFile, ScannedFile
from tests import documents

WHITE = zlib.compress(b"\xff" * 100 * 100)


def drawn(content: bytes) -> Picture | None:
    document = pdfium.PdfDocument(content)
    try:
        return render_page(document, 0)
    finally:
        document.close()


def pictured(side: int, size: tuple[int, int], packed: bytes = WHITE) -> Picture | None:
    return drawn(documents.pictured_pdf(packed, width=side, height=side, size=size))


def test_300_dots_an_inch() -> None:
    picture = drawn(documents.scan(documents.pdf(pages=1), sharpness=100))
    assert picture
    assert (picture.width, picture.height) == pytest.approx((2_550, 3_300), rel=0.001)
    assert len(picture.pixels) == picture.width * picture.height
    assert min(picture.pixels) < 100 < 200 < max(picture.pixels)


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [
        (100, (72, 72), (300, 300)),
        (800, (72, 72), (800, 800)),  # sharper than 300
        (2_000, (2_000, 2_000), (3_000, 3_000)),  # a point for each pixel
        (100, (14_400, 14_400), (3_000, 3_000)),
        (100, (14_400, 1), (60_001, 5)),
    ],
)
def test_sizes(side: int, size: tuple[int, int], expected: tuple[int, int]) -> None:
    picture = pictured(side, size)
    assert picture
    assert (picture.width, picture.height) == pytest.approx(expected, rel=0.002)
    assert picture.width * picture.height == len(picture.pixels) <= MAX_PIXELS


@pytest.mark.parametrize(("side", "size"), [(300, (72, 72)), (2_550, (612, 612)), (613, (100, 100))])
def test_a_scan_is_seen_pixel_by_pixel(side: int, size: tuple[int, int]) -> None:
    stored = random.Random(side).randbytes(side * side)
    picture = pictured(side, size, zlib.compress(stored, 0))
    assert picture
    assert (picture.width, picture.height) == (side, side)
    assert max(abs(one - other) for one, other in zip(picture.pixels, stored, strict=True)) <= 2


def test_pictures_that_would_take_the_memory_are_not_unpacked() -> None:
    assert pictured(12_000, (612, 792))
    assert pictured(13_000, (612, 792)) is None


def test_jpeg_2000_takes_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdfium.PdfImage, "get_filters", lambda _: ["JPXDecode"])
    assert pictured(6_000, (612, 792))
    assert pictured(7_000, (612, 792)) is None


def test_a_page_that_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pdfium.PdfiumError("no memory")

    monkeypatch.setattr(pdfium.PdfPage, "render", fail)
    assert pictured(100, (612, 792)) is None


def test_a_damaged_picture_shows_nothing() -> None:
    picture = pictured(100, (72, 72), b"no such packing")
    assert picture
    assert len(set(picture.pixels)) == 1


def test_pages_that_could_not_be_drawn_are_scanned_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "_MAX_STORED", 1)
    with pytest.raises(ScannedFile) as error:
        list(pdf_parser_with_pictures().parse(io.BytesIO(documents.scanned_pdf())).pages())
    assert error.value.detail == ScannedFile.unrecognised().detail
    with pytest.raises(EmptyFile):
        list(pdf_parser_with_pictures().parse(io.BytesIO(documents.empty_pdf())).pages())
