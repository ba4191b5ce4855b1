"""Draws a PDF's page through PDFium, for text to be recognised in it; callers hold the lock."""

import math
from itertools import islice

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.domain.document import MOST_PIXELS, Picture

_SCALE = 300 / 72  # dots an inch, by points: recognition is made for so many
_MOST_STORED = 150_000_000  # pixels: A4 at 1,200 dots an inch; more would take the memory of a process
_JPX = 4  # times the memory, for each pixel
_MOST_IMAGES = 1_000
_HARDLY_LESS = 1 - 1e-6  # sides are rounded up: 3,300.0001 pixels would become 3,301, and every one of them blurred


def picture_of(document: pdfium.PdfDocument, index: int) -> Picture | None:
    """How the page looks, at 300 dots an inch or as sharp as it was scanned; None where it cannot be drawn."""
    try:
        page = document[index]
        try:
            scale = _scale(page)
            return _drawn(page, scale) if scale else None
        finally:
            page.close()
    except pdfium.PdfiumError:
        return None


def _scale(page: pdfium.PdfPage) -> float | None:
    """Pixels a point, so that there are not too many; None where the page itself holds too many."""
    width, height = page.get_size()
    stored, largest, sharpness = 0, 0.0, 0.0
    for image in islice(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2), _MOST_IMAGES):
        across, up = image.get_px_size()
        left, bottom, right, top = image.get_bounds()
        area = (right - left) * (top - bottom)
        stored += across * up * (_JPX if "JPXDecode" in image.get_filters() else 1)
        if area > largest:
            largest, sharpness = area, math.sqrt(across * up / area)
    if stored > _MOST_STORED or not 0 < width * height < math.inf:
        return None
    scale = min(max(_SCALE, sharpness), math.sqrt(MOST_PIXELS / (width * height))) * _HARDLY_LESS
    while math.ceil(width * scale) * math.ceil(height * scale) > MOST_PIXELS:
        scale *= 0.999
    return scale


def _drawn(page: pdfium.PdfPage, scale: float) -> Picture:
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        rows = memoryview(bitmap.buffer).cast("B")
        starts = range(0, bitmap.height * bitmap.stride, bitmap.stride)
        pixels = b"".join(rows[start : start + bitmap.width] for start in starts)
        return Picture(bitmap.width, bitmap.height, pixels)
    finally:
        bitmap.close()
