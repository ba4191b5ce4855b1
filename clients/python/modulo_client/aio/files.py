"""The files of a collection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from modulo_client.aio.transport import PAGE, AsyncTransport
from modulo_client.aio.uploads import ASKED_SINGLY, AsyncUploads, OnProgress
from modulo_client.errors import ModuloError, NotFound
from modulo_client.folder_plan import SyncPlan, SyncReport, held_of, is_awaited, is_gone, names_in, plan_of
from modulo_client.models import Deletion, DeletionRequested, File, OnDuplicate, UploadReceipt
from modulo_client.sources import Added, Source, sources_below, sources_of


class AsyncFiles:
    """The files of one collection."""

    def __init__(self, transport: AsyncTransport, collection_id: UUID) -> None:
        self._transport = transport
        self._path = f"/collections/{collection_id}/files"
        self._collection_path = f"/collections/{collection_id}"

    def list(self, *, stage: str | None = None) -> AsyncIterator[File]:
        """All files, or those in a stage."""
        return self._transport.pages(File, self._path, stage=stage)

    async def get(self, file_id: UUID | str) -> File:
        """A file by its id.

        Raises:
            NotFound: the collection has no such file.
        """
        return await self._transport.get(File, f"{self._path}/{file_id}")

    async def named(self, name: str) -> File | None:
        """The file with a name, or with an alias; None where there is none."""
        async for file in self.list():
            if name == file.name or name in file.aliases:
                return file
        return None

    async def retry(self, file_id: UUID | str) -> UploadReceipt:
        """Read a failed file once more."""
        return await self._transport.send(UploadReceipt, "POST", f"{self._path}/{file_id}/retry")

    async def set_attributes(self, file_id: UUID | str, attributes: Mapping[str, Any]) -> File:
        """Replace a file's attributes; nothing is embedded anew."""
        return await self._transport.send(File, "PATCH", f"{self._path}/{file_id}", {"attributes": dict(attributes)})

    async def delete(self, file_id: UUID | str) -> DeletionRequested:
        """Delete a file: no search finds it from now on, and its receipt tells when nothing is left of it."""
        return await self._transport.send(DeletionRequested, "DELETE", f"{self._path}/{file_id}")

    async def content(self, file_id: UUID | str) -> bytes:
        """The bytes that were uploaded."""
        reply = await self._transport.request("GET", f"{self._path}/{file_id}/content")
        if reply.is_redirect:
            return await self._transport.download(reply.headers["location"])
        return reply.content

    async def add(
        self,
        *sources: str | Path | Source,
        exclude: Sequence[str] = (),
        attributes: Mapping[str, Any] | None = None,
        on_duplicate: OnDuplicate = "existing",
        on_progress: OnProgress | None = None,
        max_wait: float | None = 3600.0,
    ) -> Sequence[Added]:
        """Add files, folders, patterns such as `docs/**/*.pdf`, and addresses, and wait until each is at its end.

        A source that fails is told in its `Added` and stops none of the others, unless it failed for what would stop
        them too, such as a quota that is used up: those are `NotSent`. A file of a folder is named by its path below
        it, as in `reports - may.pdf`; what a pattern of `exclude` matches is left out. `max_wait` is in seconds; None
        waits without end.

        Of more than ten sources, those that the collection has by name and checksum are not sent again: their
        `duplicate_of` is set. So a call that was stopped goes on where it was. With `attributes`, all are sent.

        Raises:
            FileNotFoundError: a path does not exist, or a pattern matches nothing. Nothing was sent then.
            ValueError: two files would have one name. Nothing was sent then.
            NotReady: the time is over; what was sent goes on being read.
            ConnectionFailed, ApiProblem: while asking what is there or waiting, the server did not answer, or the key
                was no longer valid.
        """
        waiting = sources_of(*sources, exclude=exclude)
        uploads = self._uploads(len(waiting), attributes=attributes, on_duplicate=on_duplicate, on_progress=on_progress)
        held = {added.source.name: added for added in await self._held(waiting)} if attributes is None else {}
        for added in held.values():
            if not is_awaited(added):
                uploads.follow(added)
        await uploads.go_on([added for added in held.values() if is_awaited(added)])
        await uploads.send(source for source in waiting if source.name not in held)
        order = {source.name: number for number, source in enumerate(waiting)}
        return sorted(await uploads.wait(max_wait), key=lambda added: order[added.source.name])

    async def _held(self, sources: Sequence[Source]) -> Sequence[Added]:
        """The sources that need not be sent, as far as asking for them is cheaper than sending them."""
        names = {source.name for source in sources if source.path is not None}
        if len(names) <= ASKED_SINGLY:
            return []
        files, most = [], len(names) * PAGE
        async for file in self.list():
            most -= 1
            if not names.isdisjoint((file.name, *file.aliases)):
                files.append(file)
            if not most:
                break
        return held_of(sources, files)

    async def plan_sync(self, folder: str | Path, *, exclude: Sequence[str] = ()) -> SyncPlan:
        """What `sync` would do.

        Raises:
            FileNotFoundError: there is no such folder.
            PermissionError: a part of it cannot be read.
            ValueError: two of its files would have one name.
        """
        sources = sources_below(folder, exclude)
        files = {file.id: file async for file in self.list()}
        return plan_of(sources, files.values(), exclude=exclude)

    async def sync(
        self,
        folder: str | Path,
        *,
        delete: bool = False,
        exclude: Sequence[str] = (),
        plan: SyncPlan | None = None,
        on_progress: OnProgress | None = None,
        max_wait: float | None = 3600.0,
    ) -> SyncReport:
        """Make the collection hold the files of a folder: send what is new or changed, and wait until it is read.

        Files are compared by name and checksum, so a call that was stopped goes on where it was. With `delete`, files
        that the folder does not have are deleted, but those that came from an address, those of an archive that is in
        the folder, and those that `exclude` matches. `plan` is one that `plan_sync` made for the same folder.

        Raises:
            FileNotFoundError, PermissionError, ValueError: as `plan_sync`. Nothing was changed then.
            ConnectionFailed, ApiProblem: the server did not answer, or refused to delete.
            NotReady: the time is over; what was sent goes on being read.
        """
        plan = plan or await self.plan_sync(folder, exclude=exclude)
        uploads = self._uploads(plan.total, on_progress=on_progress)
        await uploads.go_on(plan.awaited)
        missing = (*plan.changed, *plan.new)
        await uploads.send(source for source in missing if source.on_duplicate != "alias")
        await uploads.send(source for source in missing if source.on_duplicate == "alias")  # of what was sent before
        for added in plan.to_retry:
            uploads.follow(await self._retried(added))
        for added in (*plan.failed, *plan.unreadable, *plan.under_way):
            uploads.follow(added)
        deleted = await self._delete_gone(plan) if delete else []
        if deleted:
            await uploads.send_again()
        return SyncReport(plan, list(await uploads.wait(max_wait)), deleted)

    async def _retried(self, added: Added) -> Added:
        assert added.file is not None  # noqa: S101 - it failed on the server
        try:
            await self.retry(added.file.id)
            return Added(added.source, await self.get(added.file.id))
        except ModuloError as error:
            return Added(added.source, error=error)

    async def _delete_gone(self, plan: SyncPlan) -> Sequence[DeletionRequested]:
        """Delete what is still gone: a file that was just sent may have become an alias of one that was."""
        names = names_in(plan)
        wanted = {name for kind in names if kind != "gone" for name in names[kind]}
        gone = {file.id for file in plan.gone}
        deleted = []
        for file in [file async for file in self.list() if file.id in gone and is_gone(file, wanted)]:
            try:
                deleted.append(await self.delete(file.id))
            except NotFound:  # somebody else was faster
                continue
        return deleted

    def _uploads(self, total: int, **options: Any) -> AsyncUploads:
        return AsyncUploads(self._transport, self._collection_path, total=total, **options)


class AsyncDeletions:
    """The receipts of deletions."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(self) -> AsyncIterator[Deletion]:
        """All receipts, the newest first."""
        return self._transport.pages(Deletion, "/deletions")

    async def get(self, deletion_id: UUID | str) -> Deletion:
        """A receipt by its id."""
        return await self._transport.get(Deletion, f"/deletions/{deletion_id}")
