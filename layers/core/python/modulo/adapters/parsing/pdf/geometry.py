"""The content of a page and where it stands, in points from the lower left corner of the page as it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

HYPHEN = "\u2010"  # stands for a hyphen at the end of a line, which may be no part of the word


Bounds = tuple[float, float, float, float]
"""Left, bottom, right and top of a character: a plain tuple, as a page has thousands."""

Glyph = tuple[int, int, Bounds]
"""A character's index, code and place."""


class Box(NamedTuple):
    """A rectangle."""

    left: float
    bottom: float
    right: float
    top: float


class Gap(NamedTuple):
    """White space inside a run: from `left` to `right`; the next word starts at `offset` in the run's text."""

    left: float
    right: float
    offset: int


@dataclass(slots=True)
class Run:
    """A text run: characters of one line without a wide gap between them.

    `order` is its position in the page's content stream. `look` names the font and color of its last character.
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
        """The middle from bottom to top."""
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
        """The run cut at each gap between words that holds one of the places, which are x coordinates."""
        parts = []
        rest = self
        for gap in self.gaps:
            if any(gap.left - 1 <= place <= gap.right + 1 for place in places):
                start = gap.offset - (len(self.text) - len(rest.text))
                parts.append(replace(rest, text=rest.text[:start].rstrip(), right=gap.left, gaps=[]))
                rest = replace(rest, text=rest.text[start:], left=gap.right, gaps=[])
        return [*parts, rest]

    def beside(self, other: "Run") -> bool:
        """Whether both stand in one line: they overlap vertically by more than half of the lower one."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.height, other.height)


class Rule(NamedTuple):
    """A ruling line, horizontal or vertical: at coordinate `at`, from `start` to `end` along the other axis."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rules:
    """The page's horizontal and vertical ruling lines, including the edges of filled areas."""

    horizontal: tuple[Rule, ...] = ()
    vertical: tuple[Rule, ...] = ()


@dataclass(slots=True)
class DrawnPage:
    """What is drawn on a page; `pictures` is the number of images.

    `index` is its place in the file, from 0. `asides` hold the text that is read in other directions. Of `asked`
    characters, `unmapped` have fonts that do not say which they are; `lost` says that most of the text could not be
    read at all.

    `turn` is by how many quarters the page as it is shown was turned clockwise to be read; None at another angle. Where
    it is `mirrored`, left and right were exchanged. `by_word` says that each word stands where its run has it, which
    is not so where some words are read from right to left.
    """

    width: float
    height: float
    runs: list[Run]
    rules: Rules
    pictures: int
    asides: list["DrawnPage"] = field(default_factory=list)
    index: int = 0
    is_aside: bool = False
    unmapped: int = 0
    asked: int = 0
    lost: bool = False
    turn: int | None = 0
    mirrored: bool = False
    by_word: bool = True
