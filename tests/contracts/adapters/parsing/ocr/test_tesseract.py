"""What a program may do that recognises text: stand-ins on the path do it."""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modulo.adapters.parsing.ocr.tesseract import PROGRAM, RecognitionError, RecognitionLimits, Tesseract
from modulo.domain.documents.document import Picture
from modulo.domain.errors import Unavailable
from tests.contracts.adapters.parsing.sandbox.test_isolated_parsers import SOON, assert_gone, open_files

PICTURE = Picture(3, 2, b"\x00\xff\x80\x80\xff\x00")
LISTING = 'if [ "$1" = --list-langs ]; then printf "List of available languages (3):\\neng\\nosd\\n"; exit; fi\n'
Program = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a stand-in on the path; `$NOTES` is where it may write."""

    def install(script: str, *, beginning: str = LISTING) -> Path:
        notes = tmp_path / "notes"
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        (tmp_path / PROGRAM).write_text(f"#!/bin/sh\nNOTES={notes}\n{beginning}{script}\n")
        (tmp_path / PROGRAM).chmod(0o755)
        return notes

    return install


def tesseract(languages: str = "eng", *, seconds: int = 30, memory_bytes: int = 1024**3) -> Tesseract:
    return Tesseract(languages, RecognitionLimits(seconds, memory_bytes))


def read(*, patience: float = SOON, **limits: int) -> str:
    return tesseract(**limits).read(PICTURE, time.monotonic() + patience)


def waits(thread: threading.Thread) -> bool:
    """Whether it waits for what the program writes."""
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == "_output"


def fails(why: str, *, patience: float = SOON, **limits: int) -> None:
    with pytest.raises(RecognitionError) as error:
        read(patience=patience, **limits)
    assert str(error.value) == why


class TestWhetherItCanWork:
    def test_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        with pytest.raises(Unavailable, match=r"OCR_LANGUAGES .* tesseract is not installed"):
            tesseract().ping()

    @pytest.mark.parametrize("languages", ["eng+deu", "en", "languages"])
    def test_without_a_language(self, program: Program, languages: str) -> None:
        program("")
        with pytest.raises(Unavailable, match=rf"lacks the data of {languages.removeprefix('eng+')}\."):
            tesseract(languages).ping()

    def test_without_what_tells_how_a_page_is_turned(self, program: Program) -> None:
        program("", beginning="echo eng")
        with pytest.raises(Unavailable, match=r"lacks the data of osd\."):
            tesseract().ping()

    @pytest.mark.parametrize(("script", "why"), [("exit 1", "crash"), ("yes", "output")])
    def test_without_an_answer(self, program: Program, script: str, why: str) -> None:
        program(script, beginning="")
        with pytest.raises(Unavailable, match=rf"does not tell its languages \({why}\)"):
            tesseract().ping()

    def test_it_is_asked_before_the_first_picture_alone(self, program: Program) -> None:
        notes = program("", beginning='echo "$1" >> $NOTES\n' + LISTING)
        one = tesseract()
        for _ in range(3):
            one.read(PICTURE, time.monotonic() + SOON)
        assert notes.read_text().split() == ["--list-langs", "stdin", "stdin", "stdin"]

    def test_a_missing_language_is_no_blank_page(self, program: Program) -> None:
        program("")
        with pytest.raises(Unavailable):
            tesseract("fra").read(PICTURE, time.monotonic() + SOON)
        with pytest.raises(Unavailable):
            tesseract("fra").rotation_of(PICTURE, time.monotonic() + SOON)


class TestWhatItIsTold:
    def test_the_picture_as_a_graymap(self, program: Program) -> None:
        notes = program("cat > $NOTES; echo done")
        assert read() == "done\n"
        assert notes.read_bytes() == b"P5 3 2 255\n" + PICTURE.pixels

    def test_languages_and_sharpness(self, program: Program) -> None:
        program('echo "$@"')
        assert read() == "stdin stdout --dpi 300 -l eng -c tessedit_create_hocr=1\n"

    def test_no_secret(self, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EMBEDDING_API_KEY", "confidential")
        monkeypatch.setenv("TESSDATA_PREFIX", "/data")
        program("env; ls /proc/self/fd; pwd")
        said = read()
        names = {line.split("=")[0] for line in said.split("\n") if "=" in line}
        assert names <= {"LD_LIBRARY_PATH", "OLDPWD", "OMP_THREAD_LIMIT", "PATH", "PWD", "TESSDATA_PREFIX"}
        assert "TESSDATA_PREFIX" in names
        assert "confidential" not in said
        assert said.split("\n")[-2] == "/"


class TestLimits:
    def test_the_clock(self, program: Program) -> None:
        notes = program("echo $$ > $NOTES; sleep 600 & echo $! >> $NOTES; wait")
        fails("time", patience=0.5)
        assert_gone(*map(int, notes.read_text().split()))

    def test_the_cpu_should_nobody_look_at_the_clock(self, program: Program) -> None:
        program("while :; do :; done")
        fails("crash", patience=600, seconds=1)

    def test_memory(self, program: Program) -> None:
        greedy = "held = [bytearray(2**20) for _ in range(10**5)]"
        program(f"exec {sys.executable} -c '{greedy}'")
        fails("crash", memory_bytes=256 * 1024**2)

    def test_output(self, program: Program) -> None:
        notes = program("echo $$ > $NOTES; exec yes")
        fails("output")
        assert_gone(int(notes.read_text()))

    def test_words_that_trickle(self, program: Program) -> None:
        program("while :; do echo word; sleep 0.05; done")
        fails("time", patience=0.5)

    def test_one_that_says_it_is_done_and_is_not(self, program: Program) -> None:
        notes = program("echo $$ > $NOTES; exec >&-; sleep 600")
        fails("time", patience=0.5)
        assert_gone(int(notes.read_text()))

    @pytest.mark.parametrize("end", ["kill -KILL $$", "kill -SEGV $$", "exit 3"])
    def test_one_that_ends_badly(self, program: Program, end: str) -> None:
        program(f"echo half; {end}")
        fails("crash")

    def test_an_interrupt_ends_it(self, program: Program) -> None:
        notes = program("echo $$ > $NOTES; sleep 600")
        ended: list[BaseException] = []

        def ask() -> None:
            try:
                read(patience=600)
            except BaseException as error:
                ended.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        until = time.monotonic() + SOON
        while not notes.exists() or not notes.read_text() or not waits(thread):
            assert thread.is_alive()
            assert time.monotonic() < until
            time.sleep(0.01)
        interrupt = ctypes.py_object(KeyboardInterrupt)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), interrupt)
        thread.join(SOON)
        assert [type(error) for error in ended] == [KeyboardInterrupt]
        assert_gone(int(notes.read_text()))

    def test_nothing_is_left_open(self, program: Program) -> None:
        program("exit 1")
        before = open_files()
        for _ in range(3):
            fails("crash")
        assert open_files() == before


class TestTurn:
    @pytest.mark.parametrize(
        ("said", "degrees"),
        [("Rotate: 90", 90), ("Rotate: 0", 0), ("Rotate: 45", 0), ("Rotate: 2700", 0), ("nonsense", 0), ("", 0)],
    )
    def test_what_it_says(self, program: Program, said: str, degrees: int) -> None:
        program(f'test "$6" = 0 && printf "Page number: 0\\n{said}\\nScript: Latin\\n"')
        assert tesseract().rotation_of(PICTURE, time.monotonic() + SOON) == degrees

    def test_too_few_characters(self, program: Program) -> None:
        program("exit 1")
        assert tesseract().rotation_of(PICTURE, time.monotonic() + SOON) == 0
