"""What `add` takes: files, folders, patterns and addresses, as the names and places of single files."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modulo_client.models import File

DIRECT_BYTES: Final = 4_000_000
"""Files up to this size are sent in one request, larger ones by a form."""
_BLOCK: Final = 1024 * 1024
_MAGIC: Final = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to add: a path of this machine under a name, or an address that the server fetches."""

    name: str
    path: Path | None = None
    url: str | None = None


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


def sources_of(*given: str | Path) -> list[Source]:
    """The single files, each once, in order.

    A file in a folder is named by its path below that folder, with " - " between the parts, as the server takes no
    paths. Hidden files and folders are left out unless they are named.

    Raises:
        FileNotFoundError: a path does not exist, or a pattern matches nothing.
        ValueError: two files would have one name, so that the second would replace the first.
    """
    found = {(source.path or source.url): source for one in given for source in _sources(one)}
    names: dict[str, Source] = {}
    for source in found.values():
        if names.setdefault(source.name, source) is not source:
            both = f"{names[source.name].path} and {source.path}"
            raise ValueError(f"{both} would both be named {source.name!r}: add a folder that holds both, or rename one")
    return list(found.values())


def _sources(given: str | Path) -> Iterator[Source]:
    text = str(given)
    if text.startswith(("http://", "https://")):
        yield Source(name=text, url=text)
        return
    path = Path(text).expanduser()
    if path.is_dir():
        yield from (Source(_name_below(path, one), one) for one in _files_below(path))
    elif path.exists():
        yield Source(path.name, path)
    elif _MAGIC & set(text):
        yield from _matching(path)
    else:
        raise FileNotFoundError(f"{text} does not exist")


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path


def _matching(pattern: Path) -> Iterator[Source]:
    fixed = Path(*_until_magic(pattern.parts))
    found = sorted(Path(one) for one in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - of an absolute path too
    files = [path for path in found if path.is_file()]
    if not files:
        raise FileNotFoundError(f"no file matches {pattern}")
    yield from (Source(_name_below(fixed, path), path) for path in files)


def _name_below(folder: Path, path: Path) -> str:
    return " - ".join(path.relative_to(folder).parts)


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
