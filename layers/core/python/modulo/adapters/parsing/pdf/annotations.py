"""What people wrote onto a PDF's page: form fields and their values, typed text, notes; callers hold PDFium's lock."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.adapters.parsing.text_decoding import one_line

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import Bounds

TICKED, UNTICKED = "\u2612", "\u2610"
MAX_ANNOTATIONS = 2_000
_MAX_TEXT_BYTES = 2 * 100_000
_MAX_OPTIONS = 500
_INVISIBLE = 1 | 2 | 32  # the flags invisible, hidden and no view
_BOXES = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_LISTS = (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)
_NOTES = (
    raw.FPDF_ANNOT_TEXT,
    raw.FPDF_ANNOT_HIGHLIGHT,
    raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_STRIKEOUT,
    raw.FPDF_ANNOT_SQUIGGLY,
    raw.FPDF_ANNOT_CARET,
)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text that stands over the page at its `bounds`, in the page's own coordinates.

    `ticks` says that it is a box or a round button, ticked or not; `note` that it is about the page, not on it.
    """

    text: str
    bounds: Bounds
    ticks: bool = False
    note: bool = False


def annotations_of(page: pdfium.PdfPage) -> Iterator[Annotation]:
    """The visible annotations that hold text, in the page's order."""
    form = page.formenv.raw if page.formenv else None
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        if not annotation:
            continue
        try:
            if not raw.FPDFAnnot_GetFlags(annotation) & _INVISIBLE:
                yield from _annotation(annotation, form)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def has_fields(page: pdfium.PdfPage) -> bool:
    """Whether a page has form fields."""
    for number in range(min(raw.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, number)
        kind = raw.FPDFAnnot_GetSubtype(annotation) if annotation else raw.FPDF_ANNOT_UNKNOWN
        raw.FPDFPage_CloseAnnot(annotation)
        if kind == raw.FPDF_ANNOT_WIDGET:
            return True
    return False


def _annotation(annotation: Any, form: Any) -> Iterator[Annotation]:
    kind = raw.FPDFAnnot_GetSubtype(annotation)
    if kind == raw.FPDF_ANNOT_WIDGET:
        field = raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else raw.FPDF_FORMFIELD_UNKNOWN
        if field in _BOXES:
            yield Annotation(TICKED if _is_ticked(annotation, form) else UNTICKED, _bounds(annotation), ticks=True)
        elif text := one_line(_value(annotation, form, field)):
            yield Annotation(text, _bounds(annotation))
    elif kind in (raw.FPDF_ANNOT_FREETEXT, *_NOTES) and (text := one_line(_entry(annotation, b"Contents"))):
        yield Annotation(text, _bounds(annotation), note=kind in _NOTES)


def _is_ticked(annotation: Any, form: Any) -> bool:
    # PDFium knows it only of fields that hold a picture of each state.
    return raw.FPDFAnnot_IsChecked(form, annotation) or _entry(annotation, b"AS") not in ("", "Off")


def _value(annotation: Any, form: Any, field: int) -> str:
    """What was filled in; a password is none of our business."""
    if field in _LISTS:
        chosen = [
            _text(raw.FPDFAnnot_GetOptionLabel, form, annotation, number)
            for number in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), _MAX_OPTIONS))
            if raw.FPDFAnnot_IsOptionSelected(form, annotation, number)
        ]
        return ", ".join(chosen) or _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation)
    if field == raw.FPDF_FORMFIELD_TEXTFIELD:
        if raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & raw.FPDF_FORMFLAG_TEXT_PASSWORD:
            return ""
        return _text(raw.FPDFAnnot_GetFormFieldValue, form, annotation) or _entry(annotation, b"V")
    return _entry(annotation, b"V") if field == raw.FPDF_FORMFIELD_UNKNOWN else ""


def _entry(annotation: Any, key: bytes) -> str:
    return _text(raw.FPDFAnnot_GetStringValue, annotation, key)


def _text(function: Callable[..., int], *arguments: Any) -> str:
    size = min(function(*arguments, None, 0), _MAX_TEXT_BYTES)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    written = function(*arguments, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return buffer.raw[: min(written, size) - 2].decode("utf-16-le", errors="replace") if written <= size else ""


def _bounds(annotation: Any) -> Bounds:
    rectangle = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, rectangle)
    bottom, top = sorted((rectangle.bottom, rectangle.top))
    left, right = sorted((rectangle.left, rectangle.right))
    return left, bottom, right, top
