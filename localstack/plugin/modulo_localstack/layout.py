"""The files of a function's environment: its layers as one directory, and whether its code has changed."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

Print = frozenset[tuple[str, int, int]]  # path, time of change in nanoseconds, bytes


def overlay(layers: Iterable[Path], target: Path) -> None:
    """Make `target` look like all layers unpacked one over the other, the last one on top.

    Links stand for whatever only one layer has; where several have a directory, it is made and filled.
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


def fingerprint(directories: Iterable[Path]) -> Print:
    """What differs as soon as any file below has been edited, added or removed."""
    return frozenset(entry for directory in directories for entry in _files(str(directory)))


def _files(directory: str) -> Iterable[tuple[str, int, int]]:
    with suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            if entry.name == "__pycache__" or entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _files(entry.path)
                continue
            with suppress(FileNotFoundError):  # editors replace files
                status = entry.stat()
                yield entry.path, status.st_mtime_ns, status.st_size
