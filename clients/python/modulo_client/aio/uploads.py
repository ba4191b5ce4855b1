"""Sending sources, and following them to their end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modulo_client.aio.transport import AsyncTransport, parsed
from modulo_client.errors import ModuloError, NotFound, NotReady, NotSent, Throttled, stops_all
from modulo_client.models import File, OnDuplicate, UploadReceipt, UploadTicket
from modulo_client.sources import DIRECT_BYTES, Added, Progress, Source, checksum_of

FIRST_PAUSE = 0.2
MAX_PAUSE = 3.0
ASKED_SINGLY = 10
"""More files than these are asked for by the pages of their collection."""
OnProgress = Callable[[Progress], object]


class AsyncUploads:
    """The sources of one call: those sent, and those at their end."""

    def __init__(
        self,
        transport: AsyncTransport,
        collection_path: str,
        *,
        total: int,
        attributes: Mapping[str, Any] | None = None,
        on_duplicate: OnDuplicate = "existing",
        on_progress: OnProgress | None = None,
    ) -> None:
        self._transport = transport
        self._collection_path = collection_path
        self._path = f"{collection_path}/files"
        self._total = total
        self._attributes = attributes
        self._on_duplicate = on_duplicate
        self._on_progress = on_progress
        self._sent: list[Added] = []
        self._ended: list[Added] = []
        self._stopped: Exception | None = None

    async def send(self, source: Source) -> None:
        """Send a source; after one that failed for a reason that lasts, the others are not tried."""
        if self._stopped is not None:
            self.follow(Added(source, error=NotSent(f"not sent: {self._stopped}")))
            return
        added = await self._send(source)
        if added.error is not None and stops_all(added.error):
            self._stopped = added.error
        self.follow(added)

    def follow(self, added: Added) -> None:
        """Take in what was sent before."""
        (self._sent if added.file is not None and not added.file.finished else self._ended).append(added)
        if self._on_progress is not None:
            self._on_progress(Progress(len(self._ended), self._total, added))

    async def send_again(self) -> None:
        """Once room was made, send what a quota that was used up has stopped; nothing where it was something else."""
        if not isinstance(self._stopped, Throttled):
            return
        self._stopped = None
        left = [one for one in self._ended if isinstance(one.error, NotSent | Throttled)]
        self._ended = [one for one in self._ended if one not in left]
        for one in left:
            await self.send(one.source)

    async def wait(self, max_wait: float | None) -> Sequence[Added]:
        """Wait until all are at their end, at most so many seconds; all, in the order in which they came to it.

        Raises:
            NotReady: the time is over; what was sent goes on being read.
        """
        give_up = None if max_wait is None else time.monotonic() + max_wait
        pause = FIRST_PAUSE
        while self._sent:
            if give_up is not None and time.monotonic() > give_up:
                raise NotReady(f"{len(self._sent)} of {self._total} files are still being read")
            await asyncio.sleep(pause)
            before, self._sent = self._sent, []
            changed = await self._look(before)
            for old, new in zip(before, changed, strict=True):
                if new != old:
                    self.follow(new)
                else:
                    self._sent.append(new)
            pause = FIRST_PAUSE if changed != before else min(MAX_PAUSE, pause * 1.5)
        return self._ended

    async def _send(self, source: Source) -> Added:
        try:
            receipt = await self._sent_by(source)
            file = await self._transport.get(File, f"{self._path}/{receipt.file_id}")
            return Added(source, file, duplicate_of=receipt.duplicate_of)
        except (ModuloError, OSError, ValueError) as error:
            return Added(source, error=error)

    async def _sent_by(self, source: Source) -> UploadReceipt | UploadTicket:
        on_duplicate = source.on_duplicate or self._on_duplicate
        if source.path is None:
            given = {"url": source.url, "attributes": self._attributes}
            return await self._transport.send(UploadReceipt, "POST", f"{self._collection_path}/urls", given)
        if source.path.stat().st_size <= DIRECT_BYTES:
            form = {"attributes": json.dumps(dict(self._attributes))} if self._attributes else {}
            reply = await self._transport.request(
                "POST", self._path, params={"on_duplicate": on_duplicate}, form=form, upload=(source.name, source.path)
            )
            return parsed(UploadReceipt, reply)
        announced = {
            "name": source.name,
            "size_bytes": source.path.stat().st_size,
            "checksum_sha256": checksum_of(source.path),
            "on_duplicate": on_duplicate,
            "attributes": self._attributes,
        }
        ticket = await self._transport.send(UploadTicket, "POST", f"{self._collection_path}/uploads", announced)
        if ticket.upload is not None:
            await self._transport.post_form(ticket.upload.url, ticket.upload.fields, source.name, source.path)
        return ticket

    async def _look(self, sent: Sequence[Added]) -> list[Added]:
        found: dict[Any, File] = {}
        if len(sent) > ASKED_SINGLY:
            found = {file.id: file async for file in self._transport.pages(File, self._path)}
        return [await self._seen(added, found) for added in sent]

    async def _seen(self, added: Added, found: Mapping[Any, File]) -> Added:
        assert added.file is not None  # noqa: S101 - only what was sent is looked at
        try:
            file = found.get(added.file.id) or await self._transport.get(File, f"{self._path}/{added.file.id}")
        except NotFound as error:  # deleted meanwhile
            return Added(added.source, error=error)
        return Added(added.source, file, duplicate_of=added.duplicate_of)
