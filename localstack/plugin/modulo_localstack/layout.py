"""Files of a function environment: merges its layers into one directory, and detects edited code."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Fingerprint = frozenset[tuple[str, int, int]]
"""Path, modification time in nanoseconds, and size in bytes of each file."""


def overlay(layers: Iterable[Path], target: Path) -> None:
    """Make `target` look like all layers unpacked over each other, with the last one on top.

    Entries of a single layer become links; a directory that several layers have is created and merged.
    """
    target.mkdir(parents=True)
    found: dict[str, list[Path]] = {}
    for layer in layers:
        for entry in sorted(layer.iterdir()):
            found.setdefault(entry.name, []).append(entry)
    for name, entries in found.items():
        top = entries[-1]
        directories = [entry for entry in entries if entry.is_dir()]
        if top.is_dir() and len(directories) > 1:
            overlay(directories, target / name)
        else:
            (target / name).symlink_to(top)


def fingerprint(directories: Iterable[Path]) -> Fingerprint:
    """A value that changes when any file below the directories is edited, added or removed."""
    return frozenset(entry for directory in directories for entry in _files(str(directory)))


def _files(directory: str) -> Iterable[tuple[str, int, int]]:
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name == "__pycache__" or entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _files(entry.path)
                continue
            with suppress(FileNotFoundError):  # editors replace files while saving
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size
