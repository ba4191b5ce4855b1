"""What stands where on a PDF's page, in points from the lower left corner as the page is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

HYPHEN = "\u2010"  # at the end of a line, where it may be no part of the word


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float


class Gap(NamedTuple):
    """White space inside a run: between which places, and where the next word starts in the text."""

    left: float
    right: float
    offset: int


@dataclass(slots=True)
class Run:
    """Characters in one line without a wide gap; `order` is their place in the page's content.

    `look` names the font and color of the first one.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    order: int
    look: str = ""
    gaps: list[Gap] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The height of the line's middle."""
        return (self.bottom + self.top) / 2

    @property
    def center(self) -> float:
        """The middle from left to right."""
        return (self.left + self.right) / 2

    @property
    def height(self) -> float:
        """From the lowest descender to the highest ascender of the font."""
        return self.top - self.bottom

    def split(self, places: Sequence[float]) -> list["Run"]:
        """The run cut where one of the places falls between its words."""
        parts = []
        rest = self
        for gap in self.gaps:
            if any(gap.left - 1 <= place <= gap.right + 1 for place in places):
                start = gap.offset - (len(self.text) - len(rest.text))
                parts.append(replace(rest, text=rest.text[:start].rstrip(), right=gap.left, gaps=[]))
                rest = replace(rest, text=rest.text[start:], left=gap.right, gaps=[])
        return [*parts, rest]

    def beside(self, other: "Run") -> bool:
        """Whether both stand in one line."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)


class Rule(NamedTuple):
    """A straight line: at `at`, from `start` to `end` along the other axis."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The page's horizontal and vertical lines, edges of filled areas among them."""

    horizontal: tuple[Rule, ...] = ()
    vertical: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it was drawn; `pictures` counts its images."""

    width: float
    height: float
    runs: list[Run]
    rules: Rules
    pictures: int
