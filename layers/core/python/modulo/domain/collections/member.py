"""Members of collections."""

from typing import Literal
from uuid import UUID

from pydantic import computed_field

from modulo.domain.model import FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.tenancy.identity import Role


class Member(FrozenModel):
    """A user of a collection."""

    user_id: UUID
    name: str
    role: Role

    @computed_field(description="the same as `user_id`")
    def id(self) -> UUID:
        """Its own id, under the name that every thing's has."""
        return self.user_id


class Membership(RequestModel):
    """The role to give."""

    role: Literal["editor", "viewer"]
