"""Sending sources, and following them to their end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from modulo_client.aio.transport import PAGE, AsyncTransport, parsed
from modulo_client.errors import ModuloError, NotFound, NotReady, NotSent, Throttled, stops_all
from modulo_client.models import File, OnDuplicate, UploadReceipt, UploadTicket
from modulo_client.sources import DIRECT_BYTES, Added, Progress, Source, checksum_of
from modulo_client.tasks import at_once

FIRST_PAUSE = 0.2
MAX_PAUSE = 3.0
AT_ONCE = 4
"""So many files are sent at once, if there are more than a few."""
ASKED_SINGLY = 10
"""More files than these are asked for by the pages of their collection."""
SINGLES_A_PAGE = 4
"""So many files asked for singly cost a server as much as a page of a hundred."""
PAUSE_A_PAGE = 0.2
"""The more pages a look takes, the longer until the next one: the server has files to read meanwhile."""
PATIENCE = 60.0
"""After so many seconds without a change, files that still await their bytes are sent again."""
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
        self._awaited: set[UUID] = set()
        self._stopped: Exception | None = None

    async def send(self, sources: Iterable[Source]) -> None:
        """Send sources; after one that failed for a reason that lasts, the others are not tried."""
        waiting = iter(sources)
        stopping: list[Added] = []
        async for added in at_once(self._send, self._until_stopped(waiting), self._at_once()):
            if added.error is None or not stops_all(added.error):
                self.follow(added)
                continue
            stopping.append(added)  # told once those that were sent at the same time are
            self._stopped = self._stopped or added.error
        for added in stopping[:1]:
            self.follow(added)
        for source in (*(added.source for added in stopping[1:]), *waiting):
            self.follow(Added(source, error=NotSent(f"not sent: {self._stopped}")))

    def _until_stopped(self, sources: Iterator[Source]) -> Iterator[Source]:
        while self._stopped is None and (source := next(sources, None)) is not None:
            yield source

    def _at_once(self) -> int:
        return AT_ONCE if self._total > ASKED_SINGLY else 1

    async def go_on(self, awaited: Sequence[Added]) -> None:
        """Go on with files that were announced before; the bytes of most have come and wait to be read.

        An interruption lost the bytes of the latest at most. Those are sent again, the others if nothing moves.
        """
        latest_first = sorted(awaited, key=_changed_at, reverse=True)
        for added in latest_first[ASKED_SINGLY:]:
            self._awaited.add(_file_of(added).id)
            self.follow(added)
        await self.send(added.source for added in latest_first[:ASKED_SINGLY])

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
        ended, self._ended = self._ended, []
        left: list[Added] = []
        for one in ended:
            (left if isinstance(one.error, NotSent | Throttled) else self._ended).append(one)
        await self.send(one.source for one in left)

    async def wait(self, max_wait: float | None) -> Sequence[Added]:
        """Wait until all are at their end, at most so many seconds; all, in the order in which they came to it.

        Raises:
            NotReady: the time is over; what was sent goes on being read.
        """
        give_up = None if max_wait is None else time.monotonic() + max_wait
        pause, cost, moved = FIRST_PAUSE, 0.0, time.monotonic()
        while self._sent:
            if give_up is not None and time.monotonic() > give_up:
                raise NotReady(f"{len(self._sent)} of {self._total} files are still being read")
            await asyncio.sleep(max(pause, cost * PAUSE_A_PAGE))
            before, self._sent = self._sent, []
            changed, cost = await self._look(before)
            for old, new in zip(before, changed, strict=True):
                if new != old:
                    self.follow(new)
                else:
                    self._sent.append(new)
            if changed != before:
                pause, moved = FIRST_PAUSE, time.monotonic()
            else:
                pause = min(MAX_PAUSE, pause * 1.5)
                if time.monotonic() - moved > PATIENCE:
                    await self._send_awaited()
        return self._ended

    async def _send_awaited(self) -> None:
        """Send what was only followed, and has not moved: its bytes never came."""
        followed, self._sent = self._sent, []
        stuck: list[Added] = []
        for one in followed:
            still = _file_of(one).id in self._awaited and _file_of(one).stage == "awaiting_upload"
            (stuck if still else self._sent).append(one)
        self._awaited.clear()
        self._stopped = None  # their quota is reserved already
        await self.send(one.source for one in stuck)

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

    async def _look(self, sent: Sequence[Added]) -> tuple[list[Added], float]:
        """What has become of these, and how many pages it cost: the latest files are on the first."""
        found: dict[UUID, File] = {}
        missing = {_file_of(added).id for added in sent}
        most = left = PAGE * len(sent) // SINGLES_A_PAGE
        if len(sent) > ASKED_SINGLY:
            async for file in self._transport.pages(File, self._path):
                left -= 1
                if file.id in missing:
                    found[file.id] = file
                    missing.remove(file.id)
                if not missing or left <= 0:
                    break
        cost = (most - left) / PAGE + len(missing) / SINGLES_A_PAGE
        return [await self._seen(added, found) for added in sent], cost

    async def _seen(self, added: Added, found: Mapping[UUID, File]) -> Added:
        file_id = _file_of(added).id
        try:
            file = found.get(file_id) or await self._transport.get(File, f"{self._path}/{file_id}")
        except NotFound as error:  # deleted meanwhile
            return Added(added.source, error=error)
        return Added(added.source, file, duplicate_of=added.duplicate_of)


def _file_of(added: Added) -> File:
    assert added.file is not None  # noqa: S101 - only what the server has is looked at
    return added.file


def _changed_at(added: Added) -> datetime:
    return _file_of(added).updated_at
