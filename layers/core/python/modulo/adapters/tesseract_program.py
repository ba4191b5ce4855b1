"""Asks Tesseract, a program of the machine's, within limits and in a process group of its own."""

import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import IO, Final, cast

from modulo.domain.document import Picture
from modulo.domain.errors import Unavailable
from modulo.settings import Settings

PROGRAM: Final = "tesseract"
MOST_OUTPUT: Final = 8 * 1024**2
"""Bytes: a page as full as can be read makes a quarter of it."""
_LIMITED: Final = 'ulimit -c 0; ulimit -t "$1"; ulimit -v "$2"; shift 2; exec "$@"'
"""By the shell, since a process with threads must not run Python between fork and exec."""
_DOTS_AN_INCH: Final = "300"
_ORIENTATION: Final = "osd"
"""What tells how a page is turned; among the languages it counts as one."""
_TURN: Final = re.compile(rb"^Rotate: (90|180|270)$", re.MULTILINE)
_KEPT: Final = ("LD_LIBRARY_PATH", "PATH", "TESSDATA_PREFIX")
_ASKING_SECONDS: Final = 10
_LOOK_MILLISECONDS: Final = 200
"""An interrupt reaches a thread only when it runs Python."""
_STEP: Final = 64 * 1024


class RecognitionFailedError(Exception):
    """A picture could not be read: `time`, `output` or `crash` says why."""


@dataclass(frozen=True, slots=True)
class RecognitionLimits:
    """What recognising one page may take; the seconds are the clock's, and the CPU's should the asker die."""

    seconds: int
    memory_bytes: int


class Tesseract:
    """The program with its languages, named as it names them and joined by `+`."""

    def __init__(self, languages: str, limits: RecognitionLimits) -> None:
        self.limits = limits
        self._languages = languages
        self._found = False

    def ping(self) -> None:
        """Find the program and all the languages.

        Raises:
            Unavailable: one of them is not installed.
        """
        if shutil.which(PROGRAM) is None:
            raise _unavailable(f"the program {PROGRAM} is not installed")
        try:
            said = self._run(["--list-langs"], os.devnull, monotonic() + _ASKING_SECONDS)
        except RecognitionFailedError as error:
            raise _unavailable(f"{PROGRAM} does not tell its languages ({error})") from None
        known = said.decode(errors="replace").split("\n")
        if missing := [name for name in (*self._languages.split("+"), _ORIENTATION) if name not in known]:
            raise _unavailable(f"{PROGRAM} lacks the data of {', '.join(missing)}")
        self._found = True

    def read(self, picture: Picture, until: float) -> str:
        """What stands in a picture, as hOCR; told until that moment.

        Raises:
            RecognitionFailedError: it cannot be told within the limits.
            Unavailable: as `ping` says, which is asked before the first picture.
        """
        said = self._seen(picture, ["-l", self._languages, "-c", "tessedit_create_hocr=1"], until)
        return said.decode(errors="replace")

    def turn(self, picture: Picture, until: float) -> int:
        """By how many degrees a picture is to be turned clockwise: 90, 180 or 270, or 0 where that is not plain.

        Raises:
            Unavailable: as `read` says.
        """
        try:
            found = _TURN.search(self._seen(picture, ["--psm", "0"], until))
        except RecognitionFailedError:  # which is how it says that it sees too few characters
            return 0
        return int(found[1]) if found else 0

    def _seen(self, picture: Picture, asked: list[str], until: float) -> bytes:
        if not self._found:
            self.ping()
        with _file(picture) as path:
            return self._run(["stdin", "stdout", "--dpi", _DOTS_AN_INCH, *asked], path, until)

    def _run(self, asked: list[str], path: str, until: float) -> bytes:
        limits = (str(self.limits.seconds), str(self.limits.memory_bytes // 1024))
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with (
            open(path, "rb") as content,  # noqa: PTH123 - what it names may be a descriptor
            subprocess.Popen(  # noqa: S603 - no word of it is a tenant's
                ["/bin/sh", "-c", _LIMITED, "sh", *limits, PROGRAM, *asked],
                env={**kept, "OMP_THREAD_LIMIT": "1"},  # more threads are slower where others are at work
                cwd="/",
                stdin=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            ) as process,
        ):
            try:
                return _output(process, until)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise


def tesseract(settings: Settings) -> Tesseract:
    """The program with the languages and within the limits that the settings say."""
    return Tesseract(settings.ocr_languages, RecognitionLimits(settings.ocr_seconds, settings.ocr_memory_bytes))


def _output(process: "subprocess.Popen[bytes]", until: float) -> bytes:
    """What the program writes, once it has ended well."""
    written = cast("IO[bytes]", process.stdout).fileno()
    poll = select.poll()
    poll.register(written, select.POLLIN)
    found, step = bytearray(), None
    while step != b"":
        if monotonic() > until:
            raise RecognitionFailedError("time")
        if poll.poll(_LOOK_MILLISECONDS):
            step = os.read(written, _STEP)
            found += step
        if len(found) > MOST_OUTPUT:
            raise RecognitionFailedError("output")
    try:
        code = process.wait(max(0.0, until - monotonic()))
    except subprocess.TimeoutExpired:
        raise RecognitionFailedError("time") from None
    if code:
        raise RecognitionFailedError("crash")
    return bytes(found)


@contextmanager
def _file(picture: Picture) -> Iterator[str]:
    """The picture as a portable graymap, in a file in memory that has this path."""
    with os.fdopen(os.memfd_create("picture"), "wb") as file:
        file.write(b"P5 %d %d 255\n" % (picture.width, picture.height))
        file.write(picture.pixels)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _unavailable(why: str) -> Unavailable:
    return Unavailable(f"Text recognition, which OCR_LANGUAGES turns on, cannot work: {why}.", dependency=PROGRAM)
