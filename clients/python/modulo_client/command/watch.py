"""Adding what changes, for as long as the command runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rich.markup import escape

from modulo_client.command.connection import fail
from modulo_client.command.outcome import SHOWN
from modulo_client.command.printing import err, out, why_not
from modulo_client.errors import Forbidden, ModuloError, NotReady, NotSent, Unauthenticated, stops_all
from modulo_client.sources import Added, Source, sources_of
from modulo_client.sync.collections import Collection

Version = tuple[int, int]
"""Of a file: its modification time in nanoseconds, and its size in bytes."""
DEBOUNCE_MS = 1_600
"""How long changes are collected, so that a file which is being written is sent once."""
RETRY_SECONDS = 30.0
"""How long to wait until what could not be sent is tried again; each time in vain doubles it."""
MAX_RETRY_SECONDS = 600.0
STEP_MS = 500
MAX_WAIT = 3_600.0


def watch_sources(
    papers: Collection,
    given: Sequence[str],
    exclude: Sequence[str],
    *,
    seen: Mapping[Path, Version],
    failed: Sequence[Added],
) -> None:
    """Add files when they change; Ctrl-C ends it.

    `seen` is what was there before the files were added. Of `failed`, what was stopped before it was sent is tried
    again. What fails for a reason that passes stays to be sent; a key that is no longer valid ends it.
    """
    places = {_place(Path(one).expanduser()) for one in given if not one.startswith(("http://", "https://"))}
    if not places:
        fail("there is nothing to watch: only addresses were given")
    known = dict(seen)
    pending, pause = _to_try_again(failed), RETRY_SECONDS
    again_at = time.monotonic() + pause
    sent, started = 0, False
    try:
        for noticed in _changes(places):
            if started and not noticed and not (pending and time.monotonic() > again_at):
                continue
            if not started:  # what changes from now on is noticed
                out.print(f"Watching {', '.join(sorted(map(str, places)))}; Ctrl-C ends it.")
                started = True
            # An event may name a new folder and not the files in it, so the files themselves are compared.
            sources = _sources(given, exclude)
            if not sources:
                continue
            now = versions_of(sources)
            changed = pending | {path for path, version in now.items() if known.get(path) != version}
            known = now
            pause = min(2 * pause, MAX_RETRY_SECONDS) if changed == pending else RETRY_SECONDS
            pending = changed  # as long as they are sent, an interrupt leaves them to be sent
            left = _add(papers, [one for one in sources if one.path is not None and one.path.absolute() in changed])
            sent += len(changed) - len(left)
            pending, again_at = left, time.monotonic() + pause
    except KeyboardInterrupt:
        out.print(f"Stopped watching: {sent} changes seen{f', {len(pending)} not at their end' if pending else ''}.")


def versions_of(sources: Iterable[Source]) -> dict[Path, Version]:
    """The version of each file that can be read."""
    found = {}
    for path in (one.path for one in sources if one.path is not None):
        with suppress(OSError):
            status = path.stat()
            found[path.absolute()] = (status.st_mtime_ns, status.st_size)
    return found


def _sources(given: Sequence[str], exclude: Sequence[str]) -> Sequence[Source]:
    try:
        return sources_of(*given, exclude=exclude)
    except (OSError, ValueError) as error:
        err.print(f"{_now()} {escape(str(error))}", style="red")
        return []


def _changes(places: set[Path]) -> Iterator[bool]:
    """Whether something changed; False every now and then, the first once changes are noticed."""
    try:
        from watchfiles import watch  # noqa: PLC0415 - an optional extra
    except ImportError:
        fail("--watch needs the package watchfiles: pip install 'modulo-client[watch]'")
    for changes in watch(*places, debounce=DEBOUNCE_MS, rust_timeout=STEP_MS, yield_on_timeout=True):
        yield bool(changes)


def _place(path: Path) -> Path:
    """The nearest folder that is there: of a folder itself, of a file or pattern the one that holds it."""
    found = path.absolute()
    while not found.is_dir():
        found = found.parent
    return found


def _add(papers: Collection, chosen: Sequence[Source]) -> set[Path]:
    """Send files; the paths of those that are to be tried again."""
    if not chosen:
        return set()
    try:
        added = papers.add(*chosen, max_wait=MAX_WAIT)
    except (Unauthenticated, Forbidden):
        raise
    except NotReady as error:
        err.print(f"{_now()} {error}", style="red")
        return set()
    except ModuloError as error:
        err.print(f"{_now()} {escape(str(error))}; it is tried again", style="red")
        return {one.path.absolute() for one in chosen if one.path is not None}
    _tell(added)
    for one in added:
        if isinstance(one.error, Unauthenticated | Forbidden):
            raise one.error
    return _to_try_again(added)


def _tell(added: Sequence[Added]) -> None:
    """What became of the files: the first by name, the others by their number."""
    ready = [one for one in added if one.ready]
    failed = [one for one in added if not one.ready and not isinstance(one.error, NotSent)]
    not_sent = len(added) - len(ready) - len(failed)
    for one in ready[:SHOWN]:
        out.print(f"{_now()} {escape(one.source.name)}: ready")
    if len(ready) > SHOWN:
        out.print(f"{_now()} {len(ready) - SHOWN} more: ready")
    for one in failed[:SHOWN]:
        err.print(f"{_now()} {escape(one.source.name)}: {escape(why_not(one))}", style="red")
    if len(failed) > SHOWN:
        err.print(f"{_now()} {len(failed) - SHOWN} more failed", style="red")
    if not_sent:
        err.print(f"{_now()} {not_sent} files were not sent; they are tried again", style="red")


def _to_try_again(added: Sequence[Added]) -> set[Path]:
    """The paths of what failed for a reason that may pass, and of what was not sent because of it."""
    again = (one.source.path for one in added if isinstance(one.error, NotSent) or _stops(one))
    return {path.absolute() for path in again if path is not None}


def _stops(added: Added) -> bool:
    return added.error is not None and stops_all(added.error)


def _now() -> str:
    return f"[dim]{datetime.now().astimezone():%H:%M:%S}[/dim]"
