"""What `add` takes: files, folders, patterns and addresses, as the names and places of single files."""

from __future__ import annotations

import glob
import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from modulo_client.models import File, OnDuplicate

DIRECT_BYTES: Final = 4_000_000
"""Files up to this size are sent in one request, larger ones by a form."""
_BLOCK: Final = 1024 * 1024
_MAGIC: Final = frozenset("*?[")
_BETWEEN: Final = " - "
"""Between the parts of a path in a name, as the server takes no paths."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to add: a path of this machine under a name, or an address that the server fetches.

    `on_duplicate` is for this one, where it differs from that of all.
    """

    name: str
    path: Path | None = None
    url: str | None = None
    on_duplicate: OnDuplicate | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a source: `file` once the server has it, else `error` says why it has not."""

    source: Source
    file: File | None = None
    error: Exception | None = None
    duplicate_of: str | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be searched."""
        return self.file is not None and self.file.stage == "ready"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of `add`: how many sources are at their end, and what changed."""

    done: int
    total: int
    added: Added


def sources_of(*given: str | Path | Source, exclude: Sequence[str] = ()) -> list[Source]:
    """The single files, each once, in order.

    A file in a folder is named by its path below that folder, with " - " between the parts, as the server takes no
    paths. Hidden files and folders are left out unless they are named, and so is what a pattern of `exclude` matches.

    Raises:
        FileNotFoundError: a path does not exist, or a pattern matches nothing.
        PermissionError: a folder cannot be read.
        ValueError: two files would have one name, so that the second would replace the first.
    """
    found = {(source.path or source.url): source for one in given for source in _sources(one, exclude)}
    names: dict[str, Source] = {}
    for source in found.values():
        if names.setdefault(source.name, source) is not source:
            both = f"{names[source.name].path} and {source.path}"
            raise ValueError(f"{both} would both be named {source.name!r}: add a folder that holds both, or rename one")
    return list(found.values())


def sources_below(folder: str | Path, exclude: Sequence[str] = ()) -> list[Source]:
    """The files of a folder, as `sources_of`.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not Path(folder).expanduser().is_dir():
        raise FileNotFoundError(f"{folder} is no folder")
    return sources_of(folder, exclude=exclude)


def excluded(parts: Sequence[str], exclude: Sequence[str]) -> bool:
    """Whether a pattern such as `*.log`, `drafts` or `reports/*.tmp` matches a path below a folder, or a part of it."""
    paths = ("/".join(parts[: end + 1]) for end in range(len(parts)))
    return any(fnmatchcase(one, pattern.rstrip("/")) for one in (*parts, *paths) for pattern in exclude)


def parts_of(name: str) -> list[str]:
    """The parts of the path that a name was made of."""
    return name.split(_BETWEEN)


def _sources(given: str | Path | Source, exclude: Sequence[str]) -> Iterator[Source]:
    if isinstance(given, Source):
        yield given
        return
    text = str(given)
    if text.startswith(("http://", "https://")):
        yield Source(name=text, url=text)
        return
    path = Path(text).expanduser()
    if path.is_dir():
        for one in _files_below(path, path, exclude):
            yield Source(_name_below(path, one), one)
    elif path.exists():
        yield Source(_name_below(path.parent, path), path)
    elif _MAGIC & set(text):
        yield from _matching(path, exclude)
    else:
        raise FileNotFoundError(f"{text} does not exist")


def _files_below(top: Path, folder: Path, exclude: Sequence[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or excluded(path.relative_to(top).parts, exclude):
            continue
        if path.is_dir() and not path.is_symlink():  # a link may lead back to where it lies
            yield from _files_below(top, path, exclude)
        elif path.is_file():
            yield path


def _matching(pattern: Path, exclude: Sequence[str]) -> Iterator[Source]:
    fixed = Path(*_until_magic(pattern.parts))
    found = sorted(Path(one) for one in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - of an absolute path too
    files = [path for path in found if path.is_file() and not excluded(path.relative_to(fixed).parts, exclude)]
    if not files:
        raise FileNotFoundError(f"no file matches {pattern}")
    yield from (Source(_name_below(fixed, path), path) for path in files)


def _name_below(folder: Path, path: Path) -> str:
    """In composed Unicode, as the server keeps names; bytes of a name that are no text are replaced."""
    name = os.fsencode(_BETWEEN.join(path.relative_to(folder).parts)).decode(errors="replace")
    return unicodedata.normalize("NFC", name)


def _until_magic(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if _MAGIC & set(part):
            return
        yield part


def checksum_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
