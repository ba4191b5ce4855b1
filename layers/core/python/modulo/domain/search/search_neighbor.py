"""A neighbour of a passage, as results of searches tell it."""

from uuid import UUID

from pydantic import Field

from modulo.domain.citable_url import URL_DESCRIPTION
from modulo.domain.model import FrozenModel
from modulo.domain.retrieval.suspicion import Flag


class Neighbor(FrozenModel):
    """A chunk beside a passage in its document, without what the passages and other neighbours tell of it already."""

    chunk_id: UUID
    text: str
    page_number: int
    chunk_number: int
    start_index: int
    end_index: int
    url: str = Field(description=URL_DESCRIPTION)
    flags: tuple[Flag, ...] = Field(default=(), description="as of a result")
