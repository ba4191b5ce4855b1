"""How a PDF's page is turned and where its corner is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2 as pdfium

if TYPE_CHECKING:
    from modulo.adapters.parsing.pdf.geometry import Bounds


class PageRotation:
    """Turns positions as the page itself is turned; `width` and `height` are the page's as it is seen."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        left, bottom, right, top = page.get_bbox()
        self._left, self._bottom = left, bottom
        self._across, self._up = right - left, top - bottom
        self.degrees: int = page.get_rotation()
        """Clockwise."""
        self._plain = not (self.degrees or left or bottom)
        sideways = self.degrees in (90, 270)
        self.width, self.height = (self._up, self._across) if sideways else (self._across, self._up)

    def box(self, box: Bounds) -> Bounds:
        """The box as it is seen."""
        return box if self._plain else self._seen(*box)

    def boxes(self, boxes: list[Bounds]) -> list[Bounds]:
        """The boxes as they are seen."""
        return boxes if self._plain else [self._seen(*box) for box in boxes]

    def _seen(self, left: float, bottom: float, right: float, top: float) -> Bounds:
        left, right = left - self._left, right - self._left
        bottom, top = bottom - self._bottom, top - self._bottom
        return turned((left, bottom, right, top), self.degrees, self._across, self._up)


def turned(box: Bounds, degrees: int, width: float, height: float) -> Bounds:
    """The box on a page of that size once it is turned clockwise by a multiple of 90 degrees."""
    left, bottom, right, top = box
    if degrees == 90:
        return bottom, width - right, top, width - left
    if degrees == 180:
        return width - right, height - top, width - left, height - bottom
    if degrees == 270:
        return height - top, left, height - bottom, right
    return box
