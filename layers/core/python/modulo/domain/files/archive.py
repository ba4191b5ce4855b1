"""Archives: their limits, and the names of the files that they are expanded into."""

import re
import unicodedata
from dataclasses import dataclass

from modulo.domain.errors import FileRejected
from modulo.domain.text.unicode_text import hidden_positions

MAX_NAME_CHARACTERS = 500
"""Longest name including the archive's; names are indexed, and an index takes no long ones."""
_NUMBER = len(" (1000)")
_DRIVE = re.compile(r"^[A-Za-z]:(?=/|$)")
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


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
    """The names of an archive's files in its collection: the archive's name, a slash, and the path.

    No other file's name holds a slash, so the prefix identifies the archive's files. The same paths in the same order
    give the same names.
    """

    def __init__(self, archive: str) -> None:
        self._prefix = f"{archive}/"
        self._taken: set[str] = set()

    def name(self, path: str) -> str:
        """A safe and unique name for the file at a path, which may be any text; unique also without regard to case."""
        inside = _shortened(safe_path(path), MAX_NAME_CHARACTERS - _NUMBER - len(self._prefix))
        stem, dot, extension = inside.rpartition(".")
        if not dot or "/" in extension:
            stem, extension = inside, ""
        number = 1
        while inside.casefold() in self._taken:
            number += 1
            inside = f"{stem} ({number}){dot if extension else ''}{extension}"
        self._taken.add(inside.casefold())
        return self._prefix + inside


def safe_path(path: str) -> str:
    """The path without `..`, drive or root, in composed Unicode, and without control or deceptive characters."""
    text = unicodedata.normalize("NFC", path.replace("\\", "/"))
    hidden = set(hidden_positions(text))
    text = "".join("_" if at in hidden else character for at, character in enumerate(text))
    steps = [step.strip() for step in _DRIVE.sub("", text).split("/")]
    return "/".join(step for step in steps if step.strip(".")) or "unnamed"


def is_system_file(path: str) -> bool:
    """Whether an operating system put the file into the archive, such as .DS_Store."""
    steps = path.lower().split("/")
    return "__macosx" in steps or steps[-1] in _SYSTEM_FILES


def _shortened(path: str, limit: int) -> str:
    """The path, without its middle where it is too long."""
    if len(path) <= limit:
        return path
    end = limit * 2 // 3
    return f"{path[: limit - end - 1]}…{path[-end:]}"
