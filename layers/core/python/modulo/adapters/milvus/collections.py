"""The lifecycle of Milvus collections: created, indexed, loaded, remembered while they last, dropped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from modulo.adapters.milvus.client import LoadState, MilvusClient
from modulo.adapters.milvus.connection import CollectionNotReadyError, MilvusConnection, unavailable
from modulo.adapters.milvus.schema import PARTITIONS, SPARSE, indexes_of, schema_of, supports_full_text
from modulo.domain.errors import ModuloError

if TYPE_CHECKING:
    from modulo.domain.collections.collection import Space

CREATION_CHECKS, CREATION_CHECK_SECONDS = 20, 0.1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CollectionOptions:
    """How Milvus collections are created; the vector `index` is HNSW or FLAT."""

    index: str = "HNSW"
    hnsw_m: int = 16
    hnsw_ef_construction: int = 256
    shards: int = 2
    full_text: bool = True


@dataclass(frozen=True, slots=True)
class CollectionLayout:
    """What a collection that can be searched offers."""

    full_text: bool


class MilvusCollections:
    """The Milvus collections of all spaces; those known to be ready are remembered."""

    def __init__(self, milvus: MilvusConnection, options: CollectionOptions) -> None:
        self._milvus = milvus
        self._options = options
        self._creating = Lock()
        self._layouts: dict[str, CollectionLayout] = {}

    def within(self, space: Space, work: Callable[[CollectionLayout], T], *, create: bool = False) -> T | None:
        """Do the work in the space's collection; None if there is none, unless `create`."""
        return self.within_all([space], lambda found: None if found[0] is None else work(found[0]), create=create)

    def within_all(
        self, spaces: Sequence[Space], work: Callable[[Sequence[CollectionLayout | None]], T], *, create: bool = False
    ) -> T:
        """Do the work in the spaces' collections; the layout of one that there is not is None, unless `create`.

        If another process has dropped or released a collection, they are prepared and the work is done again, once.
        """
        for _ in range(2):
            layouts = [self.prepare(space, create=create) for space in spaces]
            try:
                return work(layouts)
            except CollectionNotReadyError:
                for space in spaces:
                    self._layouts.pop(space.name, None)
        raise unavailable()

    def prepare(self, space: Space, *, create: bool) -> CollectionLayout | None:
        """The layout of the space's collection, indexed and loaded; None if there is none, unless `create`.

        A layout is remembered, so that a warm request makes no call for it.
        """
        layout = self._layouts.get(space.name) or self._open(space)
        if layout is None and create:
            with self._creating:
                layout = self._open(space) or self._create(space)
        if layout is not None:
            self._layouts[space.name] = layout
        return layout

    def drop(self, space: Space) -> None:
        """Drop the space's collection, if there is one."""
        self._layouts.pop(space.name, None)
        try:
            self._milvus.call_slow("drop_collection", space.name)
        except CollectionNotReadyError:
            return

    def _open(self, space: Space) -> CollectionLayout | None:
        """Index and load a collection that exists: its creator may have died, or the server have been restarted."""
        try:
            fields = {field["name"] for field in self._milvus.call("describe_collection", space.name)["fields"]}
            full_text = SPARSE in fields
            self._add_indexes(space, full_text=full_text)
            if self._milvus.call("get_load_state", space.name)["state"] != LoadState.Loaded:
                self._milvus.call_slow("load_collection", space.name)
        except CollectionNotReadyError:
            return None
        return CollectionLayout(full_text=full_text and self._options.full_text)

    def _create(self, space: Space) -> CollectionLayout:
        options = self._options
        full_text = options.full_text and supports_full_text(str(self._milvus.call("get_server_version")))
        partitions = {} if space.dedicated else {"num_partitions": PARTITIONS}
        failure: ModuloError = unavailable()
        try:
            self._milvus.call_slow(
                "create_collection",
                space.name,
                schema=schema_of(space, full_text=full_text),
                num_shards=options.shards,
                consistency_level="Eventually",
                **partitions,
            )
        except ModuloError as error:
            failure = error
        # Another process may have created it first, and may not be done yet.
        for _ in range(CREATION_CHECKS):
            if layout := self._open(space):
                return layout
            time.sleep(CREATION_CHECK_SECONDS)
        raise failure

    def _add_indexes(self, space: Space, *, full_text: bool) -> None:
        options = self._options
        hnsw = {"M": options.hnsw_m, "efConstruction": options.hnsw_ef_construction}
        wanted = indexes_of(space.model, index=options.index, hnsw=hnsw, full_text=full_text)
        for field in wanted.keys() - set(self._milvus.call("list_indexes", space.name)):
            index = MilvusClient.prepare_index_params()
            index.add_index(field, index_name=field, **wanted[field])
            try:
                self._milvus.call_slow("create_index", space.name, index, sync=False)
            except ModuloError:
                if field not in self._milvus.call("list_indexes", space.name):
                    raise
