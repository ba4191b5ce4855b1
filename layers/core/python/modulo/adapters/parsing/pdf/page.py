"""Reads the text runs, ruling lines and images of a PDF's page through PDFium; callers hold the lock."""

import ctypes
from collections.abc import Sequence

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.parsing.pdf.annotated_page import with_annotations
from modulo.adapters.parsing.pdf.annotations import annotations_of
from modulo.adapters.parsing.pdf.characters import Characters
from modulo.adapters.parsing.pdf.directions import Frame, frames_of
from modulo.adapters.parsing.pdf.drawings import Drawings, drawings_of
from modulo.adapters.parsing.pdf.geometry import Bounds, DrawnPage, Rule, Rules, Run
from modulo.adapters.parsing.pdf.page_rotation import PageRotation, turned
from modulo.adapters.parsing.pdf.runs import finished
from modulo.domain.errors import CorruptFile, OversizedFile

MAX_CHARACTERS = 500_000
_SHEAR = 0.05  # points
_LOST, _FEW_TEXTS = 2, 20  # so many objects with text for each character, and more: PDFium passed over most of them


def read_drawn_page(document: pdfium.PdfDocument, index: int) -> DrawnPage:
    """The page's text runs, ruling lines and number of images; `index` counts from 0.

    Raises:
        CorruptFile: PDFium cannot load the page.
        OversizedFile: the page holds more than `MAX_CHARACTERS`.
    """
    try:
        page = document[index]
        try:
            return _drawn_page(page, index)
        finally:
            page.close()
    except pdfium.PdfiumError as error:
        raise CorruptFile(f"Page {index + 1} is damaged: save the file again in its own program.") from error


def _drawn_page(page: pdfium.PdfPage, index: int) -> DrawnPage:
    rotation = PageRotation(page)
    drawings = drawings_of(page, rotation)
    text = page.get_textpage()
    try:
        if text.count_chars() <= 2 * drawings.texts and _shear(page):
            text.close()
            text = page.get_textpage()
        count = text.count_chars()
        if count > MAX_CHARACTERS:
            raise OversizedFile(f"Page {index + 1} holds {count} characters; at most {MAX_CHARACTERS} are read.")
        characters = Characters(text, count, rotation)
        first, *others = frames_of(characters, rotation.width, rotation.height)
        runs = _runs(first, characters)
        if annotations := list(annotations_of(page)):
            places = [_in_frame(bounds, first, rotation) for bounds in rotation.boxes([a.bounds for a in annotations])]
            runs = with_annotations(runs, zip(annotations, places, strict=True))
        drawn = DrawnPage(
            first.width,
            first.height,
            runs,
            _rules(drawings, first, rotation),
            drawings.pictures,
            _asides(others, characters, index),
            index,
        )
        drawn.unmapped, drawn.asked = characters.unmapped()
        drawn.turn, drawn.mirrored, drawn.by_word = first.turn, first.mirrored, first.by_word
        drawn.lost = drawings.texts > _LOST * count + _FEW_TEXTS
        return drawn
    finally:
        text.close()


def _asides(frames: Sequence[Frame], characters: Characters, index: int) -> list[DrawnPage]:
    return [
        DrawnPage(
            frame.width,
            frame.height,
            _runs(frame, characters),
            Rules(),
            0,
            index=index,
            is_aside=True,
            turn=frame.turn,
            mirrored=frame.mirrored,
            by_word=frame.by_word,
        )
        for frame in frames
    ]


def _runs(frame: Frame, characters: Characters) -> list[Run]:
    return list(finished(frame.drafts, characters, frame.width, frame.height))


def _in_frame(bounds: Bounds, frame: Frame, rotation: PageRotation) -> Bounds:
    if frame.degrees % 90 == 0:
        bounds = turned(bounds, frame.degrees, rotation.width, rotation.height)
    left, bottom, right, top = bounds
    return (frame.width - right, bottom, frame.width - left, top) if frame.mirrored else bounds


def _rules(drawings: Drawings, frame: Frame, rotation: PageRotation) -> Rules:
    """The page's lines, turned as its text was."""
    horizontal, vertical = drawings.horizontal, drawings.vertical
    if frame.degrees % 90:
        return Rules()
    if frame.degrees:
        lines = [(rule.start, rule.at, rule.end, rule.at) for rule in horizontal]
        lines += [(rule.at, rule.start, rule.at, rule.end) for rule in vertical]
        horizontal, vertical = [], []
        for line in lines:
            left, bottom, right, top = turned(line, frame.degrees, rotation.width, rotation.height)
            if bottom == top:
                horizontal.append(Rule(bottom, left, right))
            else:
                vertical.append(Rule(left, bottom, top))
    if frame.mirrored:
        width = frame.width
        horizontal = [Rule(rule.at, width - rule.end, width - rule.start) for rule in horizontal]
        vertical = [Rule(width - rule.at, rule.start, rule.end) for rule in vertical]
    return Rules(tuple(horizontal), tuple(vertical))


def _shear(page: pdfium.PdfPage) -> bool:
    """Slant text that has no width by a little, and say whether there was some: PDFium passes over it.

    Such are lines that go down the page, in fonts that the file does not hold.
    """
    sides = [ctypes.c_float() for _ in range(4)]
    some = False
    for number in range(raw.FPDFPage_CountObjects(page.raw)):
        item = raw.FPDFPage_GetObject(page.raw, number)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_TEXT or not raw.FPDFPageObj_GetBounds(item, *sides):
            continue
        left, bottom, right, top = (side.value for side in sides)
        if right - left < 0.01 < top - bottom:
            slant = _SHEAR / (top - bottom)
            raw.FPDFPageObj_TransformF(item, raw.FS_MATRIX(1, 0, slant, 1, -slant * bottom, 0))
            some = True
    return some
