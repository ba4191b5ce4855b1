# Generated from modulo_client/aio by generate_sync.py: change it there.
"""The files of a collection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from modulo_client.errors import ModuloError, NotReady
from modulo_client.models import Deletion, DeletionRequested, File, OnDuplicate, UploadReceipt, UploadTicket
from modulo_client.sources import DIRECT_BYTES, Added, Progress, Source, checksum_of, sources_of
from modulo_client.sync.transport import Transport, parsed

FIRST_PAUSE = 0.2
MAX_PAUSE = 3.0
OnProgress = Callable[[Progress], object]


class Files:
    """The files of one collection."""

    def __init__(self, transport: Transport, collection_id: UUID) -> None:
        self._transport = transport
        self._path = f"/collections/{collection_id}/files"
        self._collection_path = f"/collections/{collection_id}"

    def list(self, *, stage: str | None = None) -> Iterator[File]:
        """All files, or those in a stage."""
        return self._transport.pages(File, self._path, stage=stage)

    def get(self, file_id: UUID | str) -> File:
        """A file by its id.

        Raises:
            NotFound: the collection has no such file.
        """
        return self._transport.get(File, f"{self._path}/{file_id}")

    def named(self, name: str) -> File | None:
        """The file with a name, or with an alias; None where there is none."""
        for file in self.list():
            if name == file.name or name in file.aliases:
                return file
        return None

    def retry(self, file_id: UUID | str) -> UploadReceipt:
        """Read a failed file once more."""
        return self._transport.send(UploadReceipt, "POST", f"{self._path}/{file_id}/retry")

    def set_attributes(self, file_id: UUID | str, attributes: Mapping[str, Any]) -> File:
        """Replace a file's attributes; nothing is embedded anew."""
        return self._transport.send(File, "PATCH", f"{self._path}/{file_id}", {"attributes": dict(attributes)})

    def delete(self, file_id: UUID | str) -> DeletionRequested:
        """Delete a file: no search finds it from now on, and its receipt tells when nothing is left of it."""
        return self._transport.send(DeletionRequested, "DELETE", f"{self._path}/{file_id}")

    def content(self, file_id: UUID | str) -> bytes:
        """The bytes that were uploaded."""
        reply = self._transport.request("GET", f"{self._path}/{file_id}/content")
        if reply.is_redirect:
            return self._transport.download(reply.headers["location"])
        return reply.content

    def add(
        self,
        *sources: str | Path,
        attributes: Mapping[str, Any] | None = None,
        on_duplicate: OnDuplicate = "existing",
        on_progress: OnProgress | None = None,
        max_wait: float | None = 3600.0,
    ) -> Sequence[Added]:
        """Add files, folders, patterns such as `docs/**/*.pdf`, and addresses, and wait until each is at its end.

        A source that fails is told in its `Added` and stops none of the others. A file of a folder is named by its
        path below it, as in `reports - may.pdf`. `max_wait` is in seconds; None waits without end.

        Raises:
            FileNotFoundError: a path does not exist, or a pattern matches nothing. Nothing was sent then.
            ValueError: two files would have one name. Nothing was sent then.
            NotReady: the time is over; what was sent goes on being read.
        """
        waiting = sources_of(*sources)
        total = len(waiting)
        ended: list[Added] = []
        sent: list[Added] = []

        def tell(added: Added) -> None:
            if on_progress is not None:
                on_progress(Progress(len(ended), total, added))

        for source in waiting:
            added = self._send(source, attributes, on_duplicate)
            (sent if added.file is not None and not added.file.finished else ended).append(added)
            tell(added)
        give_up = None if max_wait is None else time.monotonic() + max_wait
        pause = FIRST_PAUSE
        while sent:
            if give_up is not None and time.monotonic() > give_up:
                raise NotReady(f"{len(sent)} of {total} files are still being read")
            time.sleep(pause)
            changed = [self._look(added) for added in sent]
            for before, added in zip(sent, changed, strict=True):
                if added.file is not None and added.file.finished:
                    ended.append(added)
                if added != before:
                    tell(added)
            pause = FIRST_PAUSE if changed != sent else min(MAX_PAUSE, pause * 1.5)
            sent = [added for added in changed if added.file is not None and not added.file.finished]
        order = {source: number for number, source in enumerate(waiting)}
        return sorted(ended, key=lambda added: order[added.source])

    def _send(self, source: Source, attributes: Mapping[str, Any] | None, on_duplicate: OnDuplicate) -> Added:
        try:
            receipt = self._sent(source, attributes, on_duplicate)
            return Added(source, self.get(receipt.file_id), duplicate_of=receipt.duplicate_of)
        except (ModuloError, OSError) as error:
            return Added(source, error=error)

    def _sent(
        self, source: Source, attributes: Mapping[str, Any] | None, on_duplicate: OnDuplicate
    ) -> UploadReceipt | UploadTicket:
        if source.path is None:
            given = {"url": source.url, "attributes": attributes}
            return self._transport.send(UploadReceipt, "POST", f"{self._collection_path}/urls", given)
        if source.path.stat().st_size <= DIRECT_BYTES:
            form = {"attributes": json.dumps(dict(attributes))} if attributes else {}
            reply = self._transport.request(
                "POST", self._path, params={"on_duplicate": on_duplicate}, form=form, upload=(source.name, source.path)
            )
            return parsed(UploadReceipt, reply)
        announced = {
            "name": source.name,
            "size_bytes": source.path.stat().st_size,
            "checksum_sha256": checksum_of(source.path),
            "on_duplicate": on_duplicate,
            "attributes": attributes,
        }
        ticket = self._transport.send(UploadTicket, "POST", f"{self._collection_path}/uploads", announced)
        if ticket.upload is not None:
            self._transport.post_form(ticket.upload.url, ticket.upload.fields, source.name, source.path)
        return ticket

    def _look(self, added: Added) -> Added:
        assert added.file is not None  # noqa: S101 - only what was sent is looked at
        return Added(added.source, self.get(added.file.id), duplicate_of=added.duplicate_of)


class Deletions:
    """The receipts of deletions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[Deletion]:
        """All receipts, the newest first."""
        return self._transport.pages(Deletion, "/deletions")

    def get(self, deletion_id: UUID | str) -> Deletion:
        """A receipt by its id."""
        return self._transport.get(Deletion, f"/deletions/{deletion_id}")
