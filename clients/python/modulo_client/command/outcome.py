"""What became of the files of a command, told at its end however it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import Any

import typer
from rich.markup import escape

from modulo_client.command.exit_codes import INTERRUPTED
from modulo_client.command.printing import err, out, print_json, progress, why_not
from modulo_client.errors import ModuloError, NotSent, Throttled
from modulo_client.models import DeletionRequested, File
from modulo_client.sources import Added, Progress, Source

SHOWN = 20
"""Failures that are told one by one; the others are counted."""


class Outcome:
    """The files that a command was to send, with what became of each so far."""

    def __init__(self, total: int, *, unchanged: Sequence[Source] = (), as_json: bool = False) -> None:
        self._total = total
        self._unchanged = unchanged
        self._as_json = as_json
        self._latest: dict[Source, Added] = {}
        self._told_again: set[Source] = set()
        self.deleted: Sequence[DeletionRequested] = ()

    @property
    def failed(self) -> list[Added]:
        """What failed, or was not sent as something else failed."""
        return [one for one in self._latest.values() if _has_failed(one)]

    def note(self, added: Added) -> None:
        """Take in the last that is known of a source."""
        self._latest[added.source] = added

    @contextmanager
    def shown(self, verb: str) -> Iterator[Any]:
        """A bar that the yielded function moves; an interrupt, or an error, first tells what was done."""
        try:
            with progress() as bar:
                task = bar.add_task(verb, total=self._total)

                def step(done: Progress) -> None:
                    self.note(done.added)
                    self._tell_stop(done)
                    self._tell_next_try(done.added)
                    name = escape(done.added.source.name[:40])
                    bar.update(task, total=done.total, completed=done.done, description=name)

                yield step
        except KeyboardInterrupt:
            self.tell(again=True)
            err.print("Interrupted. The same command again goes on from here.")
            raise typer.Exit(INTERRUPTED) from None
        except ModuloError:
            if self._latest:
                self.tell(again=True)
                err.print("The same command again goes on from here.")
            raise

    def _tell_stop(self, done: Progress) -> None:
        """Say at once that a quota keeps the rest from being sent: what was sent may take long to be read."""
        if not isinstance(done.added.error, Throttled):  # of several at once, only the first is one
            return
        there = sum(one.file is not None for one in self._latest.values())
        err.print(f"{escape(done.added.source.name)}: {escape(why_not(done.added))}", style="red")
        err.print(f"{there} of {done.total} files are there and are waited for; the others are not sent.")

    def _tell_next_try(self, added: Added) -> None:
        """Say why a file is not there yet and will be tried again: the pauses between tries take minutes."""
        file = added.file
        if file is None or file.problem is None or file.next_attempt_at is None or file.finished:
            return
        if added.source in self._told_again or len(self._told_again) == SHOWN:
            return
        self._told_again.add(added.source)
        at = file.next_attempt_at.astimezone()
        err.print(f"{escape(added.source.name)}: {escape(file.problem.detail)} It is tried again at {at:%H:%M:%S}.")

    def tell(self, *, again: bool = False) -> None:
        """Print what was done; `again`: some of it is still to come."""
        if self._as_json:
            print_json(self._written())
            return
        failed = [one for one in self.failed if not isinstance(one.error, NotSent)]
        for one in failed[:SHOWN]:
            err.print(f"{escape(one.source.name)}: {escape(why_not(one))}", style="red")
        if len(failed) > SHOWN:
            err.print(f"… and {len(failed) - SHOWN} more that failed", style="red")
        out.print(", ".join(self._counts(len(failed))))
        if not again and len(failed) < len(self.failed):
            err.print("The same command again goes on with what was not sent.")

    def _counts(self, failed: int) -> Iterable[str]:
        seen = self._latest.values()
        yield f"{sum(one.ready for one in seen)} ready"
        yield f"{failed} failed"
        counts = {
            "unchanged": len(self._unchanged),
            "known before": sum(one.duplicate_of is not None for one in seen),
            "still being read": sum(_is_read(one.file) for one in seen),
            "not sent": sum(isinstance(one.error, NotSent) for one in seen) + self._total - len(self._latest),
            "deleted": len(self.deleted),
        }
        yield from (f"{count} {what}" for what, count in counts.items() if count)

    def _written(self) -> dict[str, Any]:
        written: dict[str, Any] = {"added": [_told(one) for one in self._latest.values()]}
        if self._unchanged:
            written["unchanged"] = [one.name for one in self._unchanged]
        if self.deleted:
            written["deleted"] = [one.model_dump(mode="json") for one in self.deleted]
        return written


@contextmanager
def counted(total: int, what: str, done: Sized) -> Iterator[None]:
    """Of several requests, tell how many were answered where an interrupt or an error ends them."""
    try:
        yield
    except (KeyboardInterrupt, ModuloError):
        if total > 1:
            err.print(f"{len(done)} of {total} {what}")
        raise


def _is_read(file: File | None) -> bool:
    return file is not None and not file.finished


def _has_failed(added: Added) -> bool:
    return not added.ready and not _is_read(added.file)


def _told(added: Added) -> dict[str, Any]:
    file = added.file
    return {
        "name": added.source.name,
        "file_id": str(file.id) if file else None,
        "stage": file.stage if file else None,
        "error": why_not(added) if _has_failed(added) else None,
    }
