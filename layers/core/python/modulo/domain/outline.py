"""The headings above the present place of a document."""

from dataclasses import dataclass, field
from typing import NamedTuple

from modulo.domain.packing import Title

BETWEEN_HEADINGS = " > "


class Heading(NamedTuple):
    """A heading of a page; `text` is as it stands there, its title has single spaces."""

    level: int
    title: Title
    page: int
    text: str

    @property
    def end(self) -> int:
        """Where it ends on its page."""
        return self.title.start + len(self.text)


@dataclass(slots=True)
class Outline:
    """The path of headings, and those of them with nothing under them yet; it lasts from page to page."""

    above: list[Heading] = field(default_factory=list)
    pending: list[Heading] = field(default_factory=list)

    def enter(self, heading: Heading) -> list[Heading]:
        """Go below a heading; answers with the pending ones that this ends."""
        ended = [pending for pending in self.pending if pending.level >= heading.level]
        self.above = [*(above for above in self.above if above.level < heading.level), heading]
        self.pending = [*(pending for pending in self.pending if pending.level < heading.level), heading]
        return ended


def joined(path: tuple[str, ...]) -> str:
    """A path as chunks keep it."""
    return BETWEEN_HEADINGS.join(path)
