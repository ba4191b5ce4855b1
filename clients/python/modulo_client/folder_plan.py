"""What has to be done so that a collection holds the files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from modulo_client.models import DeletionRequested, File
from modulo_client.sources import Added, Source, checksum_of, excluded, parts_of

AWAITED: Final = "awaiting_upload"
"""The stage of a file until its bytes are looked at."""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """A folder beside a collection.

    Attributes:
        new: files that the collection does not have.
        awaited: files that were announced to it; their bytes have come and wait to be read, or never came.
        changed: files of which it has other bytes.
        unchanged: files that it has, ready to be searched.
        under_way: files that it has and still reads.
        to_retry: files that failed for a reason that may have passed.
        failed: files that failed, and would fail again as they are.
        unreadable: files that this machine cannot read.
        gone: what the collection has and the folder has not.
    """

    new: list[Source] = field(default_factory=list)
    awaited: list[Added] = field(default_factory=list)
    changed: list[Source] = field(default_factory=list)
    unchanged: list[Source] = field(default_factory=list)
    under_way: list[Added] = field(default_factory=list)
    to_retry: list[Added] = field(default_factory=list)
    failed: list[Added] = field(default_factory=list)
    unreadable: list[Added] = field(default_factory=list)
    gone: list[File] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many sources are not `unchanged`, each of which is in the report."""
        followed = (self.awaited, self.under_way, self.to_retry, self.failed, self.unreadable)
        return len(self.new) + len(self.changed) + sum(map(len, followed))


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What was done: what became of each source that was not `unchanged`, and what was deleted."""

    plan: SyncPlan
    added: Sequence[Added]
    deleted: Sequence[DeletionRequested]


def plan_of(
    sources: Sequence[Source],
    files: Iterable[File],
    *,
    exclude: Sequence[str] = (),
    checksum: Callable[[Path], str] = checksum_of,
) -> SyncPlan:
    """Compare the sources of a folder with the files of a collection, by name and checksum."""
    plan = SyncPlan()
    there = list(files)
    known = {name: file for file in there for name in (*file.aliases, file.name)}
    digests: dict[Source, str] = {}
    for source in sources:
        try:
            digests[source] = checksum(source.path) if source.path is not None else ""
        except OSError as error:
            plan.unreadable.append(Added(source, error=error))
    # Of equal files the first is kept and the others are its aliases; a renamed one is a file of its new name.
    held = {digest for source, digest in digests.items() if source.name in known}
    for source, digest in digests.items():
        kept = replace(source, on_duplicate="alias" if digest in held and source.name not in known else "new")
        held.add(digest)
        _sort_in(plan, kept, known.get(kept.name), digest)
    wanted = {source.name for source in sources}
    plan.gone.extend(file for file in there if is_gone(file, wanted, exclude))
    return plan


def _sort_in(plan: SyncPlan, source: Source, file: File | None, digest: str) -> None:
    if file is None:
        plan.new.append(source)
    elif file.checksum_sha256 != digest:
        plan.changed.append(source)
    elif file.stage == AWAITED:
        plan.awaited.append(_again(source, file))
    elif not file.finished:
        plan.under_way.append(Added(source, file))
    elif file.stage != "failed":
        plan.unchanged.append(source)
    elif file.problem is not None and file.problem.retryable:
        plan.to_retry.append(Added(source, file))
    else:
        plan.failed.append(Added(source, file))


def held_of(
    sources: Iterable[Source], files: Iterable[File], *, checksum: Callable[[Path], str] = checksum_of
) -> list[Added]:
    """The sources that a collection has by name and checksum, but those that failed there."""
    known = {name: file for file in files for name in (*file.aliases, file.name)}
    found = []
    for source in sources:
        file = known.get(source.name)
        if file is None or source.path is None or file.stage == "failed":
            continue
        try:
            same = file.checksum_sha256 == checksum(source.path)
        except OSError:  # what sends it tells
            continue
        if same:
            found.append(_again(source, file))
    return found


def is_awaited(added: Added) -> bool:
    """Whether a file was announced, and its bytes were not looked at yet."""
    return added.file is not None and added.file.stage == AWAITED


def _again(source: Source, file: File) -> Added:
    """A file that is there; the same bytes, sent again, are to change nothing."""
    return Added(replace(source, on_duplicate="existing"), file, duplicate_of=file.name)


def is_gone(file: File, wanted: Set[str], exclude: Sequence[str] = ()) -> bool:
    """Whether a file has no counterpart among the names that are wanted.

    Files that came from an address, the files of an archive that is wanted, and what is excluded never do.
    """
    names = {*file.aliases, file.name}
    archive, slash, _ = file.name.partition("/")
    return not (
        file.source_url is not None
        or names & wanted
        or (slash and archive in wanted)
        or any(excluded(parts_of(name), exclude) for name in names)
    )


def names_in(plan: SyncPlan) -> Mapping[str, list[str]]:
    """The plan as names, for people and programs."""
    return {
        "new": [one.name for one in plan.new],
        "awaited": [one.source.name for one in plan.awaited],
        "changed": [one.name for one in plan.changed],
        "unchanged": [one.name for one in plan.unchanged],
        "under_way": [one.source.name for one in plan.under_way],
        "to_retry": [one.source.name for one in plan.to_retry],
        "failed": [one.source.name for one in (*plan.failed, *plan.unreadable)],
        "gone": [one.name for one in plan.gone],
    }
