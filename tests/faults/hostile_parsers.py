"""Parsers that do what a parser may be made to do by a file; each takes the content as it is."""

import io
import itertools
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from modulo.adapters.parsing.opened_document import OpenedDocument
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo

PATIENCE = 600  # seconds; longer than any test


def page(number: int, text: str) -> Page:
    return Page(number, (Block(BlockKind.text, text),))


class Hostile:
    """Opens any file; its first page holds the process id, the others come from a subclass."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        return OpenedDocument(DocumentInfo(), lambda: self.read(content), natural_language=False)

    def read(self, content: BinaryIO) -> Iterator[Page]:
        yield page(1, str(os.getpid()))
        yield from self.rest(content)

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        raise NotImplementedError


class Endless(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        while True:
            pass
        yield


class Native(Hostile):
    """Stays in one call of the interpreter's own code, which looks at no signals."""

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        yield page(2, str(sum(itertools.repeat(1))))


class NativeOpening(Hostile):
    """The same, before there is a first page."""

    def parse(self, content: BinaryIO) -> OpenedDocument:
        return super().parse(io.BytesIO(bytes(sum(itertools.repeat(1)))))


class Waiting(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        time.sleep(PATIENCE)
        yield page(2, "late")


class Hungry(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        held = []
        while True:
            held.append(bytes(16 * 1024**2))
        yield


class Talkative(Hostile):
    """Each page holds the moment at which it was made."""

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        for number in range(2, sys.maxsize):
            yield page(number, f"{time.monotonic()} ".ljust(10_000, "x"))


class Verbose(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        yield page(2, "x" * 64 * 1024**2)


class Broken(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        raise KeyError(content.read().decode())
        yield


class Deep(Hostile):
    def rest(self, content: BinaryIO) -> Iterator[Page]:
        yield from self.rest(content)


class Crashing(Hostile):
    """Ends as the number that the content holds says: by that signal, or with that code below zero."""

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        how = int(content.read())
        if how < 0:
            os._exit(-how)
        signal.signal(how, signal.SIG_DFL) if how not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), how)
        yield


class AtOnce:
    """Dies before it has opened anything."""

    def parse(self, content: BinaryIO) -> NoReturn:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError


class Lying:
    """Sends what the content holds in place of an answer, as a process would that its file has taken over."""

    def parse(self, content: BinaryIO) -> NoReturn:
        said = content.read()
        for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
            try:
                os.write(descriptor, said)
            except OSError:
                continue
        os._exit(0)


class Picturing(Hostile):
    """Says what the content's first line holds of a page, then sends the rest, which nobody packed."""

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        said, _, pixels = content.read().partition(b"\n")
        descriptor = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.is_socket())
        os.write(descriptor, len(said).to_bytes(4, "big") + said + pixels)
        yield page(3, "behind it")


def tried(act: Callable[[], object]) -> str:
    """The error that something ends with, or nothing."""
    try:
        act()
    except Exception as error:
        return type(error).__name__
    return ""


class Curious(Hostile):
    """Tells what it finds, a page each: environment, open files, what it may write, run and reach."""

    def rest(self, content: BinaryIO) -> Iterator[Page]:
        yield page(2, " ".join(sorted(os.environ)))
        entries = list(Path("/proc/self/fd").iterdir())  # of which one is the listing itself
        yield page(3, " ".join(entry.name for entry in entries if entry.is_symlink()))
        yield page(4, tried(lambda: (Path(tempfile.gettempdir()) / f"curious-{os.getpid()}").write_text("x" * 99)))
        yield page(5, tried(lambda: socket.create_connection(("127.0.0.1", int(content.read())), timeout=1)))
        yield page(6, tried(lambda: content.truncate(0)))
