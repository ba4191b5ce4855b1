"""Runs Tesseract, an installed program, within limits and in its own process group."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING, Final, cast

from modulo.domain.errors import Unavailable

if TYPE_CHECKING:
    from modulo.domain.documents.document import Picture
    from modulo.settings import Settings

PROGRAM: Final = "tesseract"
MAX_OUTPUT: Final = 8 * 1024**2
"""Bytes: the fullest legible page makes a quarter of it."""
_LIMITED: Final = 'ulimit -c 0; ulimit -t "$1"; ulimit -v "$2"; shift 2; exec "$@"'
"""Set by the shell: a process with threads must not run Python between fork and exec."""
_DPI: Final = "300"
_ORIENTATION: Final = "osd"
"""The data that detects how a page is rotated; Tesseract lists it among the languages."""
_ROTATION: Final = re.compile(rb"^Rotate: (90|180|270)$", re.MULTILINE)
_INHERITED_VARIABLES: Final = ("LD_LIBRARY_PATH", "PATH", "TESSDATA_PREFIX")
_LIST_SECONDS: Final = 10
_POLL_MILLISECONDS: Final = 200
"""Short, because an interrupt reaches a thread only while it runs Python."""
_CHUNK_BYTES: Final = 64 * 1024


class RecognitionError(Exception):
    """A picture could not be read; the message is the reason: `time`, `output` or `crash`."""


@dataclass(frozen=True, slots=True)
class RecognitionLimits:
    """What recognising one page may take.

    `seconds` limits the time on the clock. It also limits the CPU time, should this process die meanwhile.
    """

    seconds: int
    memory_bytes: int


class Tesseract:
    """The program with its languages: Tesseract's codes joined by `+`, such as `eng+deu`."""

    def __init__(self, languages: str, limits: RecognitionLimits) -> None:
        self.limits = limits
        self._languages = languages
        self._found = False

    def ping(self) -> None:
        """Check that the program and all the languages are installed.

        Raises:
            Unavailable: one of them is not installed.
        """
        if shutil.which(PROGRAM) is None:
            raise _unavailable(f"the program {PROGRAM} is not installed")
        try:
            listing = self._run(["--list-langs"], os.devnull, monotonic() + _LIST_SECONDS)
        except RecognitionError as error:
            raise _unavailable(f"{PROGRAM} does not tell its languages ({error})") from None
        installed = listing.decode(errors="replace").split("\n")
        if missing := [name for name in (*self._languages.split("+"), _ORIENTATION) if name not in installed]:
            raise _unavailable(f"{PROGRAM} lacks the data of {', '.join(missing)}")
        self._found = True

    def read(self, picture: Picture, deadline: float) -> str:
        """The text in a picture, as hOCR; `deadline` is a moment of `time.monotonic`.

        Raises:
            RecognitionError: the limits are passed, or the program fails.
            Unavailable: as `ping` says, which is called before the first picture.
        """
        hocr = self._recognise(picture, ["-l", self._languages, "-c", "tessedit_create_hocr=1"], deadline)
        return hocr.decode(errors="replace")

    def rotation_of(self, picture: Picture, deadline: float) -> int:
        """By how many degrees to rotate a picture clockwise: 90, 180 or 270; 0 if upright, or not clear.

        Raises:
            Unavailable: as `read` says.
        """
        try:
            found = _ROTATION.search(self._recognise(picture, ["--psm", "0"], deadline))
        except RecognitionError:  # it fails where it sees too few characters
            return 0
        return int(found[1]) if found else 0

    def _recognise(self, picture: Picture, arguments: list[str], deadline: float) -> bytes:
        if not self._found:
            self.ping()
        with _file(picture) as path:
            return self._run(["stdin", "stdout", "--dpi", _DPI, *arguments], path, deadline)

    def _run(self, arguments: list[str], path: str, deadline: float) -> bytes:
        limits = (str(self.limits.seconds), str(self.limits.memory_bytes // 1024))
        environment = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
        with (
            Path(path).open("rb") as content,
            subprocess.Popen(  # noqa: S603 - nothing in the command comes from a tenant
                ["/bin/sh", "-c", _LIMITED, "sh", *limits, PROGRAM, *arguments],
                env={**environment, "OMP_THREAD_LIMIT": "1"},  # several threads are slower on a busy machine
                cwd="/",
                stdin=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            ) as process,
        ):
            try:
                return _output(process, deadline)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise


def tesseract(settings: Settings) -> Tesseract:
    """The program with the languages and limits of the settings."""
    return Tesseract(settings.ocr_languages, RecognitionLimits(settings.ocr_seconds, settings.ocr_memory_bytes))


def _output(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """What the program has written, once it has exited with success."""
    written = cast("IO[bytes]", process.stdout).fileno()
    poll = select.poll()
    poll.register(written, select.POLLIN)
    found, chunk = bytearray(), None
    while chunk != b"":
        if monotonic() > deadline:
            raise RecognitionError("time")
        if poll.poll(_POLL_MILLISECONDS):
            chunk = os.read(written, _CHUNK_BYTES)
            found += chunk
        if len(found) > MAX_OUTPUT:
            raise RecognitionError("output")
    try:
        code = process.wait(max(0.0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        raise RecognitionError("time") from None
    if code:
        raise RecognitionError("crash")
    return bytes(found)


@contextmanager
def _file(picture: Picture) -> Iterator[str]:
    """The path of a file in memory that holds the picture as a portable graymap (PGM)."""
    with os.fdopen(os.memfd_create("picture"), "wb") as file:
        file.write(b"P5 %d %d 255\n" % (picture.width, picture.height))
        file.write(picture.pixels)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _unavailable(reason: str) -> Unavailable:
    return Unavailable(f"Text recognition, which OCR_LANGUAGES turns on, cannot work: {reason}.", dependency=PROGRAM)
