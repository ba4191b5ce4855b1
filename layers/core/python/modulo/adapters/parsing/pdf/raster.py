"""Renders a PDF's page through PDFium as a picture for text recognition; callers hold the lock."""

import math
from itertools import islice

import pypdfium2 as pdfium
from pypdfium2 import raw

from modulo.domain.documents.document import MAX_PIXELS, Picture

_SCALE = 300 / 72  # pixels a point: 300 dots an inch, which recognition works best at
_MAX_STORED = 150_000_000  # pixels in all images of a page: A4 at 1,200 dots an inch; more may exhaust the memory
_JPX_FACTOR = 4  # the memory that decoding a pixel of JPEG 2000 takes, compared with other formats
_MAX_IMAGES = 1_000
# PDFium rounds sides up: 3,300.0001 pixels would become 3,301, and blur all of them.
_ROUNDING_MARGIN = 1 - 1e-6


def render_page(document: pdfium.PdfDocument, index: int) -> Picture | None:
    """The page in shades of gray, at 300 dots an inch or the resolution of its scan; None if it cannot be rendered."""
    try:
        page = document[index]
        try:
            scale = _scale(page)
            return _rendered(page, scale) if scale else None
        finally:
            page.close()
    except pdfium.PdfiumError:
        return None


def _scale(page: pdfium.PdfPage) -> float | None:
    """Pixels a point, at most `MAX_PIXELS` in all; None where the page's images hold more than `_MAX_STORED`."""
    width, height = page.get_size()
    stored, largest, resolution = 0, 0.0, 0.0
    for image in islice(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2), _MAX_IMAGES):
        across, up = image.get_px_size()
        left, bottom, right, top = image.get_bounds()
        area = (right - left) * (top - bottom)
        stored += across * up * (_JPX_FACTOR if "JPXDecode" in image.get_filters() else 1)
        if area > largest:
            largest, resolution = area, math.sqrt(across * up / area)
    if stored > _MAX_STORED or not 0 < width * height < math.inf:
        return None
    scale = min(max(_SCALE, resolution), math.sqrt(MAX_PIXELS / (width * height))) * _ROUNDING_MARGIN
    while math.ceil(width * scale) * math.ceil(height * scale) > MAX_PIXELS:
        scale *= 0.999
    return scale


def _rendered(page: pdfium.PdfPage, scale: float) -> Picture:
    bitmap = page.render(scale=scale, grayscale=True)
    try:
        rows = memoryview(bitmap.buffer).cast("B")
        starts = range(0, bitmap.height * bitmap.stride, bitmap.stride)
        pixels = b"".join(rows[start : start + bitmap.width] for start in starts)
        return Picture(bitmap.width, bitmap.height, pixels)
    finally:
        bitmap.close()
