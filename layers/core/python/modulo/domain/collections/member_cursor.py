"""Cursors of members, apart from the models: every function imports the form of cursors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from modulo.domain.pagination import matched_cursor
from modulo.domain.tenancy.identity import Role

if TYPE_CHECKING:
    from modulo.domain.collections.member import Member

MEMBER_CURSOR_PATTERN: Final = r"^([0-2])\.([0-9a-f]{32})\.((?:[0-9a-f]{2}){0,4000})$"
"""Every text of this form is a cursor: a role's place in `Role`, a user's id, and their name's bytes."""
_CURSOR: Final = re.compile(MEMBER_CURSOR_PATTERN)


@dataclass(frozen=True, slots=True)
class MemberCursor:
    """Where the next page of members begins: after the one of that role, name and id, who may be gone meanwhile."""

    rank: int
    """The role's place in `Role`."""
    name: str
    user_id: UUID

    @classmethod
    def of(cls, member: Member) -> MemberCursor:
        """The cursor of the page after this member."""
        return cls(list(Role).index(member.role), member.name, member.user_id)

    def encode(self) -> str:
        """The opaque text for clients."""
        return f"{self.rank}.{self.user_id.hex}.{self.name.encode().hex()}"

    @classmethod
    def decode(cls, text: str) -> MemberCursor:
        """The cursor of a client's text.

        Raises:
            InvalidRequest: it is no such text.
        """
        rank, identity, name = matched_cursor(_CURSOR, text).groups()
        return cls(int(rank), bytes.fromhex(name).decode(errors="replace").replace("\0", ""), UUID(identity))
