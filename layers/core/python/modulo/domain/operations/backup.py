"""Backups and exports: what an archive holds, and how it is checked before anything of it is believed.

An archive may be damaged, or written by somebody else. Each row is compared with what its table may hold, and the key
of each object is built anew from the ids in it.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from modulo.domain.collections.collection import Chunking, EmbeddingModel, Space
from modulo.domain.errors import InvalidRequest
from modulo.domain.files.attributes import Attributes
from modulo.domain.files.file import DocumentInfo, FileProblem, FileRef
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.labels import Labels
from modulo.domain.model import FrozenModel
from modulo.domain.retrieval.search_defaults import SearchDefaults

FORMAT: Final = 1
MAX_ROW_CHARACTERS: Final = 16 * 1024**2
"""A longer row is refused, so that none fills the memory."""
TENANTS: Final = "tenants"
COLLECTIONS: Final = "collections"
INDEXES: Final = "indexes"
NOT_EXPORTED: Final = frozenset({"api_keys", "dead_letters", "periods"})
"""The tables that a tenant's export leaves out: credentials, and what means nothing elsewhere."""


class BackupKind(StrEnum):
    """What an archive is of."""

    installation = "installation"
    tenant = "tenant"


class TableContents(FrozenModel):
    """The rows of a table in an archive."""

    columns: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")], ...]
    rows: int = Field(ge=0)


class GoneFile(FrozenModel):
    """A file that was deleted while the backup was taken, after its rows were read."""

    tenant_id: UUID
    file_id: UUID


class Manifest(FrozenModel):
    """What an archive says of itself."""

    format: int
    kind: BackupKind
    tenant_id: UUID | None = Field(default=None, description="of an export")
    revision: str = Field(description="of the database's schema")
    taken_at: datetime = Field(description="the moment that all rows are of")
    tables: Mapping[str, TableContents]
    objects: int = Field(ge=0)
    object_bytes: int = Field(ge=0)
    gone: tuple[GoneFile, ...] = ()
    lost: tuple[GoneFile, ...] = Field(default=(), description="files that live, but whose object was missing")

    def require(self, kind: BackupKind) -> None:
        """Require that the archive can be read, and is of this kind.

        Raises:
            InvalidRequest: it is of another kind, or a later version wrote it.
        """
        if self.format != FORMAT:
            raise InvalidRequest(f"The archive has format {self.format}: this version reads {FORMAT}.")
        if self.kind is not kind:
            raise InvalidRequest(f"The archive is of a whole {self.kind}, not of a {kind}.")
        if self.kind is BackupKind.tenant and not NOT_EXPORTED.isdisjoint(self.tables):
            raise InvalidRequest("The archive is refused: credentials and messages are no part of a tenant's export.")
        if (self.kind is BackupKind.tenant) != (self.tenant_id is not None):
            raise InvalidRequest("The archive does not say whose it is.")


class ArchivedObject(FrozenModel):
    """An object in an archive."""

    key: str
    media_type: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e][\x20-\x7e]{0,254}$")]
    size_bytes: int = Field(ge=0)

    @property
    def ref(self) -> FileRef | UserFileRef:
        """Whose bytes it holds.

        Raises:
            InvalidRequest: the key is none that the service makes.
        """
        found = FileRef.of_key(self.key) or UserFileRef.of_key(self.key)
        if found is None:
            raise InvalidRequest(f"The archive holds an object at {self.key[:200]!r}, which is no place for one.")
        return found


@dataclass(frozen=True, slots=True)
class WantedObject:
    """An object that a backup copies: in this version, where one is known."""

    ref: FileRef | UserFileRef
    version: str | None
    media_type: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All rows of one moment were read: the schema they are of, and the objects they name."""

    revision: str
    columns: Mapping[str, Sequence[str]]
    objects: Sequence[WantedObject]


@dataclass(slots=True)
class RestorePlan:
    """What the rows of an archive say beside themselves, gathered while they are checked."""

    tenants: set[UUID] = field(default_factory=set)
    collections: dict[tuple[UUID, UUID], Space] = field(default_factory=dict)
    """The living ones, by tenant and id."""
    others: list[Space] = field(default_factory=list)
    """Further indexes of collections."""

    @property
    def spaces(self) -> tuple[Space, ...]:
        """Every space that may hold vectors of the collections, once."""
        named = {(space.tenant_id, space.collection_id, space.name): space for space in self.collections.values()}
        named |= {(space.tenant_id, space.collection_id, space.name): space for space in self.others}
        return tuple(named.values())


class RestoreReport(FrozenModel):
    """What was restored, and how many files are being embedded anew."""

    tenants: int
    rows: Mapping[str, int]
    objects: int
    files: int
    taken_at: datetime


class RebuildPage(FrozenModel):
    """How many collections were begun anew, with how many files, and behind which the next ones come."""

    collections: int
    files: int
    next: tuple[UUID, UUID] | None


_JSON: Mapping[str, Mapping[str, Any]] = {
    COLLECTIONS: {
        "embedding_model": EmbeddingModel,
        "chunking": Chunking,
        "metadata": Labels,
        "search_defaults": SearchDefaults,
    },
    INDEXES: {"embedding_model": EmbeddingModel, "chunking": Chunking},
    "files": {"attributes": Attributes, "attribute_dates": Mapping[str, int]},
    "generations": {"document": DocumentInfo, "problem": FileProblem | None},
    "parts": {"document": Mapping[str, Any]},
    "conversations": {"metadata": Mapping[str, str]},
}
"""What the JSON in a column must be."""


@cache
def _checks(table: str) -> Mapping[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(kind) for name, kind in _JSON.get(table, {}).items()}


def checked_row(table: str, line: str, columns: Sequence[str], tenant_id: UUID | None = None) -> dict[str, Any]:
    """A row that has just these columns and, where one is given, belongs to this tenant.

    Raises:
        InvalidRequest: it is no such row.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        raise _refused(table, "no JSON") from None
    if not isinstance(row, dict) or set(row) != set(columns):
        raise _refused(table, "other columns than the archive says")
    if tenant_id is not None and tenant_of(table, row) != tenant_id:
        raise _refused(table, "a row of another tenant")
    for name, kind in _checks(table).items():
        try:
            if name in row:  # a column may be younger than the archive
                kind.validate_python(row[name])
        except ValidationError as error:
            raise _refused(table, f"something else than a {name.replace('_', ' ')}") from error
    return row


def tenant_of(table: str, row: Mapping[str, Any]) -> UUID | None:
    """The tenant that a row belongs to; None where it says none, as the dead letters that nobody can read.

    Raises:
        InvalidRequest: what it says is no id.
    """
    found = row.get("id" if table == TENANTS else "tenant_id")
    return None if found is None else _id(table, found)


def note_row(plan: RestorePlan, table: str, row: Mapping[str, Any]) -> None:
    """Add what a checked row says to the plan.

    Raises:
        InvalidRequest: ids or numbers in it are none.
    """
    if table == TENANTS:
        plan.tenants.add(_id(table, row["id"]))
    elif table == COLLECTIONS and row["deleted_at"] is None:
        space = _space(table, row, (row["id"], row["owner_id"]), dedicated=row["dedicated"], index=row["index_number"])
        plan.collections[space.tenant_id, space.collection_id] = space
    elif table == INDEXES:
        place = (_id(table, row["tenant_id"]), _id(table, row["collection_id"]))
        if known := plan.collections.get(place):
            ids = (str(known.collection_id), str(known.owner_id))
            plan.others.append(_space(table, row, ids, dedicated=known.dedicated, index=row["number"]))


def require_models(spaces: Iterable[Space], offered: Mapping[str, int]) -> None:
    """Require that each model of these spaces is offered here: `offered` tells the dimensions of each.

    Raises:
        InvalidRequest: one is not.
    """
    for space in spaces:
        if offered.get(space.model.name) != space.model.dimensions:
            raise InvalidRequest(
                f"A collection uses the embedding model {space.model.name[:200]!r} with {space.model.dimensions}"
                " dimensions, which is not offered here: add it to EMBEDDING_MODELS."
            )


def _space(table: str, row: Mapping[str, Any], ids: tuple[Any, Any], *, dedicated: Any, index: Any) -> Space:
    if not isinstance(index, int) or not isinstance(dedicated, bool):
        raise _refused(table, "something else than a number or a truth value")
    model = EmbeddingModel.model_validate(row["embedding_model"])
    tenant_id, collection_id, owner_id = (_id(table, found) for found in (row["tenant_id"], *ids))
    return Space(tenant_id, collection_id, owner_id, model, dedicated, index)


def _id(table: str, found: Any) -> UUID:
    if not isinstance(found, str) or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found) is None:
        raise _refused(table, "something else than an id")
    return UUID(found)


def _refused(table: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"The archive is refused: its table {table} holds {what}.")
