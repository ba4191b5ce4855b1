"""Archives: what they may hold, and the names of the files they are expanded into."""

import re
import unicodedata
from dataclasses import dataclass

from modulo.domain.errors import FileRejected
from modulo.domain.media import shows_nothing

MAX_NAME = 500
"""Characters of a name with the archive's in front; names are indexed, and an index takes no long ones."""
_NUMBER = len(" (1000)")
_DRIVE = re.compile(r"^[A-Za-z]:(?=/|$)")
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much of an archive is expanded; sizes in bytes, `depth` counts archives in archives from 1."""

    files: int
    total_bytes: int
    file_bytes: int
    depth: int


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file in an archive: its path there, and its content or why it is left out."""

    path: str
    content: bytes
    problem: FileRejected | None = None


class ArchivedNames:
    """The names of an archive's files in its collection: its own, a slash, and their paths.

    No other file's name holds a slash, so whose names begin like that are the archive's. The same
    paths in the same order give the same names.
    """

    def __init__(self, archive: str) -> None:
        self._prefix = f"{archive}/"
        self._taken: set[str] = set()

    def name(self, path: str) -> str:
        """The name of the file at a path, which may be any text: harmless, not too long, and in no case taken."""
        inside = _shortened(cleaned(path), MAX_NAME - _NUMBER - len(self._prefix))
        stem, dot, extension = inside.rpartition(".")
        if not dot or "/" in extension:
            stem, extension = inside, ""
        number = 1
        while inside.casefold() in self._taken:
            number += 1
            inside = f"{stem} ({number}){dot if extension else ''}{extension}"
        self._taken.add(inside.casefold())
        return self._prefix + inside


def cleaned(path: str) -> str:
    """A path that leads nowhere but down, in composed characters that show what they are."""
    text = unicodedata.normalize("NFC", path.replace("\\", "/"))
    text = "".join("_" if shows_nothing(character) else character for character in text)
    steps = [step.strip() for step in _DRIVE.sub("", text).split("/")]
    return "/".join(step for step in steps if step.strip(".")) or "unnamed"


def is_litter(path: str) -> bool:
    """Whether it is what systems leave in archives, which nobody put there."""
    steps = path.lower().split("/")
    return "__macosx" in steps or steps[-1] in _LITTER


def _shortened(path: str, limit: int) -> str:
    """A long path without its middle."""
    if len(path) <= limit:
        return path
    end = limit * 2 // 3
    return f"{path[: limit - end - 1]}…{path[-end:]}"
