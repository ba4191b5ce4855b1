"""Pages of listings, and their cursors."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar
from uuid import UUID

from modulo.domain.errors import InvalidRequest
from modulo.domain.model import FrozenModel
from modulo.domain.text.dates import microseconds, moment_of

Item = TypeVar("Item")
CURSOR_PATTERN: Final = r"^-?[0-9]{1,16}\.[0-9a-f]{32}$"
"""Every text of this form is a cursor: microseconds since 1970, from the year 1653 to 2286, and an id."""
_CURSOR: Final = re.compile(CURSOR_PATTERN)


def matched_cursor(form: re.Pattern[str], text: str) -> re.Match[str]:
    """A client's text as a cursor of the form.

    Raises:
        InvalidRequest: it is none.
    """
    found = form.fullmatch(text)
    if found is None:
        raise InvalidRequest.field("after", "is not a cursor that a listing returned")
    return found


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins: after the item of that moment and id."""

    moment: datetime
    id: UUID

    def encode(self) -> str:
        """The opaque text for clients."""
        return f"{microseconds(self.moment)}.{self.id.hex}"

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The cursor of a client's text.

        Raises:
            InvalidRequest: it is no such text.
        """
        matched_cursor(_CURSOR, text)
        written, _, identity = text.partition(".")
        return cls(moment_of(int(written)), UUID(identity))


class Listing(FrozenModel, Generic[Item]):
    """One page of a listing; `next` is the opaque cursor of the following page, and absent in the last."""

    items: tuple[Item, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Which items of a listing by time are wanted: those behind one, or those just before one, at most `limit`."""

    limit: int
    after: UUID | None = None
    before: UUID | None = None
    ascending: bool = False
    """Oldest first."""

    @property
    def anchor(self) -> UUID | None:
        """The item that it begins at."""
        return self.after or self.before

    @property
    def backwards(self) -> bool:
        """Whether items before one are wanted."""
        return self.before is not None and self.after is None

    def refusal(self) -> InvalidRequest:
        """That it begins at no item: an empty page would tell a client that it has seen all."""
        return InvalidRequest.field("before" if self.backwards else "after", "is not the id of an item of this list")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of a window, in the listing's order; `more` says whether the listing goes on that way."""

    items: tuple[Item, ...]
    more: bool
