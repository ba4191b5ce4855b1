"""What has to be done so that a collection holds the files of a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from modulo_client.models import DeletionRequested, File
from modulo_client.sources import Added, Source, checksum_of, excluded, parts_of


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """A folder beside a collection.

    Attributes:
        new: files that the collection does not have, or whose bytes never arrived.
        changed: files of which it has other bytes.
        unchanged: files that it has, ready to be searched.
        under_way: files that it has and still reads.
        to_retry: files that failed for a reason that may have passed.
        failed: files that failed, and would fail again as they are.
        unreadable: files that this machine cannot read.
        gone: what the collection has and the folder has not.
    """

    new: list[Source] = field(default_factory=list)
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
        followed = len(self.under_way) + len(self.to_retry) + len(self.failed) + len(self.unreadable)
        return len(self.new) + len(self.changed) + followed


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
    if file is None or (file.stage == "awaiting_upload" and file.checksum_sha256 == digest):
        plan.new.append(source)
    elif file.checksum_sha256 != digest:
        plan.changed.append(source)
    elif not file.finished:
        plan.under_way.append(Added(source, file))
    elif file.stage != "failed":
        plan.unchanged.append(source)
    elif file.problem is not None and file.problem.retryable:
        plan.to_retry.append(Added(source, file))
    else:
        plan.failed.append(Added(source, file))


def is_gone(file: File, wanted: Iterable[str], exclude: Sequence[str] = ()) -> bool:
    """Whether a file has no counterpart among the names that are wanted.

    Files that came from an address, the files of an archive that is wanted, and what is excluded never do.
    """
    names = {*file.aliases, file.name}
    archive, slash, _ = file.name.partition("/")
    return not (
        file.source_url is not None
        or names & set(wanted)
        or (slash and archive in wanted)
        or any(excluded(parts_of(name), exclude) for name in names)
    )


def names_in(plan: SyncPlan) -> Mapping[str, list[str]]:
    """The plan as names, for people and programs."""
    return {
        "new": [one.name for one in plan.new],
        "changed": [one.name for one in plan.changed],
        "unchanged": [one.name for one in plan.unchanged],
        "under_way": [one.source.name for one in plan.under_way],
        "to_retry": [one.source.name for one in plan.to_retry],
        "failed": [one.source.name for one in (*plan.failed, *plan.unreadable)],
        "gone": [one.name for one in plan.gone],
    }
