"""The arguments of the tools, described for a model to fill in."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from modulo.domain.files.file import OnDuplicate
from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import MAX_COLLECTIONS, Question

MAX_TEXT_CHARACTERS = 1_000_000

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Named = Annotated[
    str | None,
    Field(max_length=200, description="name or id of the collection; needed only where there are several"),
]
AllNamed = Annotated[
    tuple[Id, ...] | None,
    Field(
        min_length=1,
        max_length=MAX_COLLECTIONS,
        description="names or ids of several collections, to search all of them at once; instead of `collection`",
    ),
]


class SearchArguments(RequestModel):
    """What to look for."""

    query: Question = Field(description="what to look for, in plain words or as a question")
    collection: Named = None
    collections: AllNamed = None
    top_k: int | None = Field(
        default=None,
        ge=1,
        le=50,
        description="how many passages to look at; as the collection says if left out",
    )
    filters: Mapping[str, Any] = Field(
        default_factory=dict, description='conditions, as {"author": "Ada"} or {"page_number": {"lte": 10}}'
    )


class QuestionArguments(RequestModel):
    """A question."""

    question: Question = Field(description="a whole question, understandable without what was said before")
    collection: Named = None
    collections: AllNamed = None
    top_k: int | None = Field(
        default=None,
        ge=1,
        le=50,
        description="how many passages the answer may rest on; as the collection says if left out",
    )
    filters: Mapping[str, Any] = Field(
        default_factory=dict, description='conditions, as {"author": "Ada"} or {"page_number": {"lte": 10}}'
    )


class FetchArguments(RequestModel):
    """Which document."""

    id: Id = Field(description="the document's id, as `search` gave it")


class IngestArguments(RequestModel):
    """What to add: a text under a name, or the address of a public page or file."""

    collection: Named = None
    name: str | None = Field(
        default=None, max_length=200, description="file name with its extension, as notes.md; needed with `text`"
    )
    text: str | None = Field(default=None, max_length=MAX_TEXT_CHARACTERS, description="the whole text")
    url: str | None = Field(default=None, max_length=2_000, description="http(s) address to fetch instead of a text")
    on_duplicate: OnDuplicate = Field(
        default=OnDuplicate.existing, description="where a document holds the same bytes already"
    )


class ListArguments(RequestModel):
    """Which collections."""

    name: str | None = Field(default=None, max_length=200, description="only those whose name contains this")


class DocumentArguments(RequestModel):
    """Which document."""

    document_id: Id = Field(description="the document's id, as `search` or `rag_search` gave it")
    collection: Named = None
