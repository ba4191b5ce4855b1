"""Grants: permission to search a collection, and which of its documents are live."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from modulo.domain.collections.collection import Space
from modulo.domain.retrieval.passage import LiveDocument
from modulo.domain.retrieval.search_defaults import NO_DEFAULTS, SearchDefaults


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission to search a collection, at one version of it."""

    space: Space
    version: int
    expires: bool = False
    """Whether the collection is deleted unless it is used, so that its use is to be recorded."""
    defaults: SearchDefaults = NO_DEFAULTS
    """How the collection is searched where a request does not say."""


@dataclass(frozen=True, slots=True)
class MatchingFiles:
    """The grants, and at the same moment the files that meet what a search asks of documents."""

    grants: tuple[Grant, ...]
    """Of every collection that was asked for, in that order."""
    file_ids: tuple[UUID, ...] | None
    """None where they are too many to be named."""


@dataclass(frozen=True, slots=True)
class LiveDocuments:
    """The grants, and at the same moment the live documents; `reserved` says whether the tokens were reserved."""

    grants: tuple[Grant, ...]
    """Of every collection that was asked for, in that order."""
    documents: Mapping[UUID, LiveDocument]
    reserved: bool = True
