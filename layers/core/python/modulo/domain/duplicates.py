"""Which file answers an upload in place of a new one."""

from collections.abc import Iterable

from modulo.domain.errors import Conflict
from modulo.domain.file import Duplicate, File, OnDuplicate, Stage
from modulo.domain.transfer import FileDraft

MOST_ALIASES = 100


def duplicate(draft: FileDraft, files: Iterable[File]) -> Duplicate | None:
    """The one of a collection's files that holds the draft's bytes, or is about to; None where it is to be made.

    Only bytes whose checksum is known are compared, and only with files that would be read the same way. A name
    that a file has already stands for that file alone: other bytes under it are its next generation.
    """
    if draft.on_duplicate is OnDuplicate.new or draft.checksum_sha256 is None:
        return None
    known = list(files)
    named = [file for file in known if file.name == draft.name]
    same = [file for file in named or known if _holds(file, draft)]
    oldest = min(same, key=lambda file: (file.created_at, file.id), default=None)
    return None if oldest is None else Duplicate.model_validate(oldest, from_attributes=True)


def taken_name(draft: FileDraft, file: File, *, held: bool) -> str | None:
    """The alias that the file takes, as it does where the name is `held` as one already; None where it takes none.

    Raises:
        Conflict: it has too many.
    """
    wanted = held or draft.on_duplicate is OnDuplicate.alias
    if draft.name in (file.name, *file.aliases) or not wanted:
        return None
    if len(file.aliases) >= MOST_ALIASES:
        raise Conflict(f"A file has at most {MOST_ALIASES} other names.")
    return draft.name


def _holds(file: File, draft: FileDraft) -> bool:
    told = (file.checksum_sha256, file.size_bytes, file.media_type)
    same = told == (draft.checksum_sha256, draft.size_bytes, draft.media_type)
    return same and (file.stage is Stage.ready or file.stage.unfinished)
