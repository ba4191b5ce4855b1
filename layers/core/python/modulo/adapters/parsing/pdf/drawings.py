"""The lines and pictures of a PDF's page; callers hold PDFium's lock."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.parsing.pdf.direct_calls import direct
from modulo.adapters.parsing.pdf.geometry import Box, Rule

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.page_rotation import PageRotation

MAX_OBJECTS = 5_000  # drawings with more parts hold no tables
MAX_SEGMENTS = 20_000
_THIN = 3.0  # points: a filled area this thin is a line
_SHORT = 6.0

_HANDLE, _INT = ctypes.c_void_p, ctypes.c_int
_object = direct(raw.FPDFPage_GetObject, _HANDLE, _HANDLE, _INT)
_kind = direct(raw.FPDFPageObj_GetType, _INT, _HANDLE)
_count_parts = direct(raw.FPDFFormObj_CountObjects, _INT, _HANDLE)
_part = direct(raw.FPDFFormObj_GetObject, _HANDLE, _HANDLE, ctypes.c_ulong)
_bounds = direct(raw.FPDFPageObj_GetBounds, _INT, _HANDLE, _HANDLE, _HANDLE, _HANDLE, _HANDLE)
_matrix = direct(raw.FPDFPageObj_GetMatrix, _INT, _HANDLE, _HANDLE)
_count_segments = direct(raw.FPDFPath_CountSegments, _INT, _HANDLE)
_segment = direct(raw.FPDFPath_GetPathSegment, _HANDLE, _HANDLE, _INT)
_point = direct(raw.FPDFPathSegment_GetPoint, _INT, _HANDLE, _HANDLE, _HANDLE)
_segment_kind = direct(raw.FPDFPathSegment_GetType, _INT, _HANDLE)
_is_closed = direct(raw.FPDFPathSegment_GetClose, _INT, _HANDLE)


@dataclass(slots=True)
class Drawings:
    """What is drawn on a page beside its text; `texts` counts the objects that hold text."""

    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)
    pictures: int = 0
    texts: int = 0


def drawings_of(page: pdfium.PdfPage, rotation: PageRotation) -> Drawings:
    """The lines, images and texts of a page; no lines where it holds too many objects."""
    found = Drawings()
    segments = 0
    floats = (ctypes.c_float * 6)()
    for number, (item, kind, level) in enumerate(_objects(page.raw)):
        if number >= MAX_OBJECTS or segments > MAX_SEGMENTS:
            return Drawings(pictures=max(found.pictures, 1), texts=found.texts)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            found.texts += 1
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            found.pictures += 1
        elif kind == raw.FPDF_PAGEOBJ_PATH and level == 0:
            segments += _count_segments(item)
            for line in _lines(item, floats):
                left, bottom, right, top = rotation.box(line)
                if top - bottom <= _THIN and right - left >= _SHORT:
                    found.horizontal.append(Rule((bottom + top) / 2, left, right))
                elif right - left <= _THIN and top - bottom >= _SHORT:
                    found.vertical.append(Rule((left + right) / 2, bottom, top))
    return found


def _objects(page: Any) -> Iterator[tuple[int, int, int]]:
    """The addresses of the page's objects and of those inside its forms, with their kind and depth."""
    address = ctypes.cast(page, ctypes.c_void_p).value
    for number in range(raw.FPDFPage_CountObjects(page)):
        item = _object(address, number)
        kind = _kind(item)
        yield item, kind, 0
        if kind == raw.FPDF_PAGEOBJ_FORM:
            for inner in range(_count_parts(item)):
                part = _part(item, inner)
                yield part, _kind(part), 1


def _lines(item: int, floats: Any) -> Iterator[Box]:
    """The straight edges of a path as boxes; a thin area as one."""
    place = ctypes.addressof(floats)
    if not _bounds(item, place, place + 4, place + 8, place + 12):
        return
    bounds = Box(*floats[:4])
    if bounds.right - bounds.left <= _THIN or bounds.top - bounds.bottom <= _THIN:
        yield bounds
        return
    _matrix(item, place)
    a, b, c, d, e, f = floats
    start = last = (0.0, 0.0)
    for number in range(min(_count_segments(item), MAX_SEGMENTS)):
        segment = _segment(item, number)
        _point(segment, place, place + 4)
        x, y = floats[:2]
        point = (a * x + c * y + e, b * x + d * y + f)
        kind = _segment_kind(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield _box(last, point)
        last = point
        if _is_closed(segment):
            yield _box(last, start)


def _box(one: tuple[float, float], other: tuple[float, float]) -> Box:
    return Box(min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1]))
