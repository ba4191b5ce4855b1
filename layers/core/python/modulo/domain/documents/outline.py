"""The headings above the present position in a document."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from modulo.domain.documents.placement import PlacedLine
from modulo.domain.text.tokens import Rate

BETWEEN_HEADINGS = " > "


@dataclass(frozen=True, slots=True)
class Title:
    """A heading on the page: where it starts and what it says."""

    start: int
    text: str


class Heading(NamedTuple):
    """A heading of a page; `text` is as it stands there, its title has single spaces, `rate` is its page's.

    `lines` are those of its text on the page.
    """

    level: int
    title: Title
    page: int
    text: str
    rate: Rate
    lines: tuple[PlacedLine, ...] = ()

    @property
    def end(self) -> int:
        """Where it ends on its page."""
        return self.title.start + len(self.text)


@dataclass(slots=True)
class Outline:
    """The path of headings, and those of them with nothing under them yet; it lasts from page to page."""

    above: list[Heading] = field(default_factory=list)
    pending: list[Heading] = field(default_factory=list)

    def close(self, level: int) -> list[Heading]:
        """Leave the headings that one of this level ends; answers with the pending ones among them."""
        ended = [heading for heading in self.pending if heading.level >= level]
        self.above = [heading for heading in self.above if heading.level < level]
        self.pending = [heading for heading in self.pending if heading.level < level]
        return ended

    def open(self, heading: Heading) -> None:
        """Go below a heading."""
        self.above.append(heading)
        self.pending.append(heading)


def heading_path(path: Iterable[Heading | str]) -> str:
    """Headings as chunks keep them."""
    return BETWEEN_HEADINGS.join(part if isinstance(part, str) else part.title.text for part in path)
