"""Duplicate uploads: which existing file takes the place of a new one."""

from collections.abc import Iterable

from modulo.domain.errors import Conflict
from modulo.domain.files.file import Duplicate, File, OnDuplicate, Stage
from modulo.domain.files.upload import FileDraft

MAX_ALIASES = 100


def find_duplicate(draft: FileDraft, files: Iterable[File]) -> Duplicate | None:
    """The collection's file that holds, or is about to hold, the draft's bytes; None where there is none.

    Only bytes whose checksum is known are compared, and only with files of the same media type. Where a file has the
    draft's name, only that file can be the duplicate: other bytes under its name are its next generation.
    """
    if draft.on_duplicate is OnDuplicate.new or draft.checksum_sha256 is None:
        return None
    known = list(files)
    named = [file for file in known if file.name == draft.name]
    same = [file for file in named or known if _holds(file, draft)]
    oldest = min(same, key=lambda file: (file.created_at, file.id), default=None)
    return None if oldest is None else Duplicate.model_validate(oldest, from_attributes=True)


def alias_to_add(draft: FileDraft, file: File, *, held: bool) -> str | None:
    """The alias to add to the file, as the draft asks or the name is `held` as one already; None where there is none.

    Raises:
        Conflict: it has too many.
    """
    wanted = held or draft.on_duplicate is OnDuplicate.alias
    if draft.name in (file.name, *file.aliases) or not wanted:
        return None
    if len(file.aliases) >= MAX_ALIASES:
        raise Conflict(f"A file has at most {MAX_ALIASES} other names.")
    return draft.name


def _holds(file: File, draft: FileDraft) -> bool:
    stored = (file.checksum_sha256, file.size_bytes, file.media_type)
    same = stored == (draft.checksum_sha256, draft.size_bytes, draft.media_type)
    return same and (file.stage is Stage.ready or file.stage.unfinished)
