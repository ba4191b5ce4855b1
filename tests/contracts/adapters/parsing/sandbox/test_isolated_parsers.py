import ctypes
import gc
import io
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import SpooledTemporaryFile

import pytest

from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.pdf.parser import pdf_parser_with_pictures
from modulo.adapters.parsing.sandbox.fork_server import ForkServer, fork_server
from modulo.adapters.parsing.sandbox.isolated_parsers import IsolatedParser, IsolatedParsers
from modulo.adapters.parsing.sandbox.parse_session import ParserLimits
from modulo.domain.documents.document import Page, Part, Picture
from modulo.domain.documents.placement import PlacedLine
from modulo.domain.errors import (
    CorruptFile,
    EmptyFile,
    EncryptedFile,
    ExpensiveFile,
    FileRejected,
    ScannedFile,
    Unavailable,
    UnreadableFile,
    UnsupportedFile,
)
from modulo.domain.files import media
from tests import documents
from tests.doubles.memory_metrics import MemoryMetrics

LIMITS = ParserLimits(seconds=30, memory_bytes=512 * 1024**2, output_bytes=32 * 1024**2)
SOON = 20
DOCUMENTS = {
    media.PDF: documents.pdf(pages=5),
    media.DOCX: documents.word(page_break=True),
    media.PPTX: documents.slides(),
    media.XLSX: documents.workbook(),
    media.HTML: documents.HTML.encode(),
    media.MARKDOWN: documents.MARKDOWN.encode(),
    media.CSV: b"Region,2019\nNorth,1\n",
    media.TEXT: "Über allen Gipfeln ist Ruh, \U0001f3d4.\n\nWarte nur.".encode(),
    media.EML: documents.E_MAIL.encode(),
    media.JSON: documents.JSON.encode(),
    media.JSON_LINES: documents.JSON_LINES.encode(),
    media.CODE: documents.CODE.encode(),
    media.SQL: documents.SQL.encode(),
}
REFUSED = {
    EmptyFile: (media.TEXT, b" \n"),
    CorruptFile: (media.PDF, documents.without_end(documents.pdf())),
    EncryptedFile: (media.PDF, documents.pdf(password="secret")),
    ScannedFile: (media.PDF, documents.scanned_pdf()),
}


@pytest.fixture
def metrics() -> MemoryMetrics:
    return MemoryMetrics()


@pytest.fixture
def parsers(metrics: MemoryMetrics) -> IsolatedParsers:
    return IsolatedParsers(LIMITS, metrics)


def hostile(
    name: str, metrics: MemoryMetrics | None = None, fork_server: ForkServer = fork_server, **limits: int
) -> IsolatedParser:
    chosen = ParserLimits(**{**{name: getattr(LIMITS, name) for name in LIMITS.__slots__}, **limits})
    return IsolatedParser(
        f"tests.faults.hostile_parsers:{name}", IsolatedParsers(chosen, metrics or MemoryMetrics(), fork_server)
    )


def pages_of(name: str, content: bytes = b"", metrics: MemoryMetrics | None = None, **limits: int) -> Iterator[Page]:
    """The pages of a hostile parser behind the first, which tells its process."""
    pages = hostile(name, metrics, **limits).parse(io.BytesIO(content)).pages()
    process_in(next(pages))
    return pages


def process_in(page: Page) -> int:
    return int(page.blocks[0].text)


def assert_gone(*processes: int) -> None:
    """Each has ended, or does so soon; a zombie nobody has waited for yet has."""
    until = time.monotonic() + SOON
    for process in processes:
        while running(process):
            assert time.monotonic() < until, f"{process} goes on"
            time.sleep(0.01)


def running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def stopped(metrics: MemoryMetrics) -> dict[str, float]:
    return {
        dict(labels)["reason"]: value
        for (name, labels), value in metrics.counts.items()
        if name == "rag_parsers_stopped_total"
    }


class TestSameAsInProcess:
    @pytest.mark.parametrize("media_type", DOCUMENTS)
    def test_pages_and_what_the_document_says(self, parsers: IsolatedParsers, media_type: str) -> None:
        own = parser_for(media_type).parse(io.BytesIO(DOCUMENTS[media_type]))
        isolated = parsers(media_type).parse(io.BytesIO(DOCUMENTS[media_type]))
        assert (isolated.info, isolated.extent) == (own.info, own.extent)
        assert list(isolated.pages()) == list(own.pages())
        assert isolated.info == own.info

    @pytest.mark.parametrize("error", REFUSED)
    def test_rejections(self, parsers: IsolatedParsers, metrics: MemoryMetrics, error: type[FileRejected]) -> None:
        media_type, content = REFUSED[error]
        with pytest.raises(error) as own:
            list(parser_for(media_type).parse(io.BytesIO(content)).pages())
        with pytest.raises(error) as isolated:
            list(parsers(media_type).parse(io.BytesIO(content)).pages())
        assert isolated.value.detail == own.value.detail
        assert stopped(metrics) == {}

    def test_a_type_without_a_parser(self, parsers: IsolatedParsers) -> None:
        with pytest.raises(UnsupportedFile):
            parsers("image/png")

    def test_parts_again_and_again(self, parsers: IsolatedParsers) -> None:
        isolated = parsers(media.PDF).parse(io.BytesIO(DOCUMENTS[media.PDF]))
        own = parser_for(media.PDF).parse(io.BytesIO(DOCUMENTS[media.PDF]))
        for part in (Part(0, 0, 2), Part(1, 2, 5), None, None):
            assert list(isolated.pages(part)) == list(own.pages(part))

    @pytest.mark.parametrize("beginning", [0, 7])
    def test_content_on_disk_and_half_read(self, parsers: IsolatedParsers, beginning: int, tmp_path: Path) -> None:
        content = DOCUMENTS[media.TEXT]
        expected = list(parser_for(media.TEXT).parse(io.BytesIO(content)).pages())
        with SpooledTemporaryFile(max_size=10**6) as spooled, (tmp_path / "file").open("w+b") as file:
            for opened in (spooled, file, io.BytesIO()):
                opened.write(content)
                opened.seek(beginning)
                assert list(parsers(media.TEXT).parse(opened).pages()) == expected  # type: ignore[arg-type]  # any readable stream will do

    def test_threads_read_side_by_side(self, parsers: IsolatedParsers) -> None:
        expected = list(parsers(media.PDF).parse(io.BytesIO(DOCUMENTS[media.PDF])).pages())
        found: list[list[Page]] = []

        def read() -> None:
            found.append(list(parsers(media.PDF).parse(io.BytesIO(DOCUMENTS[media.PDF])).pages()))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 8


class TestLimits:
    @pytest.mark.parametrize("name", ["Endless", "Waiting"])
    def test_time(self, metrics: MemoryMetrics, name: str) -> None:
        with pytest.raises(ExpensiveFile, match="more than 1 seconds"):
            next(pages_of(name, metrics=metrics, seconds=1))
        assert stopped(metrics) == {"time": 1}

    @pytest.mark.serial
    @pytest.mark.parametrize("name", ["Native", "NativeOpening"])
    def test_time_within_native_code(self, metrics: MemoryMetrics, name: str) -> None:
        started = time.monotonic()
        with pytest.raises(ExpensiveFile, match="more than 1 seconds"):
            next(pages_of(name, metrics=metrics, seconds=1))
        assert stopped(metrics) == {"time": 1}
        assert time.monotonic() - started < 20

    def test_time_is_not_the_readers_own(self) -> None:
        pages = pages_of("Talkative", seconds=1)
        for _ in range(3):
            time.sleep(0.9)  # longer in all than the parser might take
            assert next(pages)

    def test_memory(self, metrics: MemoryMetrics) -> None:
        with pytest.raises(ExpensiveFile, match="more than 64 MB"):
            next(pages_of("Hungry", metrics=metrics, memory_bytes=64 * 1024**2))
        assert stopped(metrics) == {"memory": 1}

    @pytest.mark.parametrize("name", ["Talkative", "Verbose"])
    def test_output(self, metrics: MemoryMetrics, name: str) -> None:
        with pytest.raises(ExpensiveFile, match="more than 8 MB of text"):
            list(pages_of(name, metrics=metrics, output_bytes=8 * 1024**2))
        assert stopped(metrics) == {"output": 1}

    def test_no_more_is_read_ahead_than_a_socket_holds(self) -> None:
        pages = pages_of("Talkative")
        next(pages)
        time.sleep(0.2)
        resumed = time.monotonic()
        later = [next(pages) for _ in range(500)][-1]
        assert float(later.blocks[0].text.split()[0]) > resumed


class TestBroken:
    @pytest.mark.parametrize("name", ["Broken", "Deep"])
    def test_an_error_is_the_files_and_its_place_is_logged(
        self, metrics: MemoryMetrics, caplog: pytest.LogCaptureFixture, name: str
    ) -> None:
        with pytest.raises(UnreadableFile):
            next(pages_of(name, b"private words", metrics))
        assert stopped(metrics) == {"failure": 1}
        assert "hostile_parsers.py" in caplog.text
        assert "private" not in caplog.text

    @pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGTERM, -1, -3])
    def test_a_crash_is_the_files(self, metrics: MemoryMetrics, how: int) -> None:
        with pytest.raises(UnreadableFile):
            next(pages_of("Crashing", str(int(how)).encode(), metrics))
        assert stopped(metrics) == {"crash": 1}

    def test_a_crash_at_once(self) -> None:
        with pytest.raises(UnreadableFile):
            hostile("AtOnce").parse(io.BytesIO(b"x"))

    def test_a_kill_from_outside_passes(self, metrics: MemoryMetrics) -> None:
        with pytest.raises(Unavailable):
            next(pages_of("Crashing", str(int(signal.SIGKILL)).encode(), metrics))
        assert stopped(metrics) == {"lost": 1}

    @pytest.mark.parametrize(
        "said",
        [
            b"\xff\xff\xff\xff",
            b"\x00\x00\x00\x02{}",
            b"\x00\x00\x00\x02[]",
            b"\x00\x00\x00\x03\xff\xff\xff",
            b"\x00\x00\x00\x08[" + b"[" * 7,
            b'\x00\x00\x00\x06["end"',
            b'\x00\x00\x00\x0c["opened",1]',
            b'\x00\x00\x00\x0e["opened",1,2]',
            b'\x00\x00\x00\x07["page"',
            b'\x00\x00\x00\x10["rejected",1,2]',
            b"\x00\x00\x00\x09[",
            b"\x00",
        ],
    )
    def test_whatever_it_says_is_a_rejection(self, said: bytes) -> None:
        with pytest.raises(FileRejected):
            list(hostile("Lying").parse(io.BytesIO(said)).pages())


class TestPlaces:
    SAID = b'["page",2,false,[["text","word",0,1,%s]],null,0.0,0]\n'

    @staticmethod
    def read(lines: bytes, metrics: MemoryMetrics) -> tuple[PlacedLine, ...]:
        parser = IsolatedParser("tests.faults.hostile_parsers:Picturing", IsolatedParsers(LIMITS, metrics))
        return list(parser.parse(io.BytesIO(TestPlaces.SAID % lines)).pages())[1].blocks[0].lines

    def test_lines_as_they_are_said(self, metrics: MemoryMetrics) -> None:
        assert self.read(b"[[0,3,5,9,1,[4,20]]]", metrics) == (PlacedLine(0, 3, 5, 9, 1, (4, 20)),)

    @pytest.mark.parametrize(
        "line",
        [
            b"7",
            b"[0,0,5,9,1]",
            b"[0,0,5,9,1,4]",
            b"[0,0,5,9,1,[]]",
            b"[0,0,5,9,1,[4]]",
            b"[0,0,5,9,1,[0,20]]",
            b"[0,0,5,9,1,[4,-20]]",
            b"[-1,0,5,9,1,[4,20]]",
            b"[0,4,5,9,1,[4,20]]",
            b"[0,0,9,5,1,[4,20]]",
            b"[0.5,0,5,9,1,[4,20]]",
            b"[true,0,5,9,1,[4,20]]",
            b'[0,0,5,9,"1",[4,20]]',
            b'[0,0,5,9,1,"ab"]',
            b"[0,0,5,9,1,[4,2147483649]]",
        ],
    )
    def test_others_are_refused(self, metrics: MemoryMetrics, line: bytes) -> None:
        with pytest.raises(UnreadableFile):
            self.read(b"[%b]" % line, metrics)
        assert stopped(metrics) == {"failure": 1}


class TestPictures:
    SAID = b'["page",2,true,[],%s,0.0,0]\n'

    @pytest.fixture
    def pages(self, metrics: MemoryMetrics) -> Callable[[bytes, bool], list[Page]]:
        def read(content: bytes, pictures: bool = True) -> list[Page]:
            parsers = IsolatedParsers(LIMITS, metrics, pictures=pictures)
            parser = IsolatedParser("tests.faults.hostile_parsers:Picturing", parsers)
            return list(parser.parse(io.BytesIO(content)).pages())[1:]

        return read

    def test_as_large_as_is_said(self, pages: Callable[..., list[Page]]) -> None:
        pictured, other = pages(self.SAID % b"[3,2]" + b"012345")
        assert pictured == Page(2, (), scanned=True, picture=Picture(3, 2, b"012345"))
        assert other.picture is None

    @pytest.mark.parametrize(
        "size",
        [b"[3001,3000]", b"[0,5]", b"[-3,-2]", b'["3",2]', b"[1.5,2]", b"[3]", b"[1,2,3]", b"7", b"{}", b"[9e9,1]"],
    )
    def test_others_are_refused_unread(
        self, pages: Callable[..., list[Page]], metrics: MemoryMetrics, size: bytes
    ) -> None:
        with pytest.raises(UnreadableFile):
            pages(self.SAID % size + b"012345")
        assert stopped(metrics) == {"failure": 1}

    def test_so_are_those_not_asked_for(self, pages: Callable[..., list[Page]]) -> None:
        with pytest.raises(UnreadableFile):
            pages(self.SAID % b"[3,2]" + b"012345", False)

    def test_one_that_is_cut_short(self, pages: Callable[..., list[Page]]) -> None:
        with pytest.raises(UnreadableFile):
            pages(self.SAID % b"[3000,3000]" + b"012345")

    def test_a_document_with_and_without(self, metrics: MemoryMetrics) -> None:
        content = io.BytesIO(documents.scan(documents.pdf(pages=3), pages=[2]))
        own = list(pdf_parser_with_pictures().parse(content).pages())
        assert [page.picture is not None for page in own] == [False, True, False]
        assert list(IsolatedParsers(LIMITS, metrics, pictures=True)(media.PDF).parse(content).pages()) == own
        plain = [replace(page, picture=None) for page in own]
        assert list(IsolatedParsers(LIMITS, metrics)(media.PDF).parse(content).pages()) == plain

    def test_pictures_count_for_no_text(self, metrics: MemoryMetrics) -> None:
        content = io.BytesIO(documents.scan(documents.pdf(pages=2)))
        limits = replace(LIMITS, output_bytes=4_096)
        pages = list(IsolatedParsers(limits, metrics, pictures=True)(media.PDF).parse(content).pages())
        assert all(page.scanned and page.picture for page in pages)


class TestConfined:
    def test_it_has_nothing_but_the_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GENERATOR_API_KEY", "secret")
        own = ForkServer()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1]).encode()
            pages = list(hostile("Curious", fork_server=own).parse(io.BytesIO(port)).pages())
            reached = bool(select.select([server], [], [], 0)[0])
        apart = Path(f"/proc/{own.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        own.close()
        names, opened, writing, network, truncating = (page.blocks[0].text for page in pages[1:])
        kept = {"LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ"}
        assert set(names.split()) <= kept
        assert len(opened.split()) == 5  # the standard ones, the file, the socket
        assert writing in {"OSError", "FileNotFoundError"}
        assert truncating == "UnsupportedOperation"
        assert (bool(network), reached) == (apart, not apart)  # not every kernel lets it be taken away

    def test_its_first_file_cannot_reach_the_next(self, parsers: IsolatedParsers) -> None:
        processes = {process_in(next(hostile("Waiting").parse(io.BytesIO()).pages())) for _ in range(3)}
        assert len(processes) == 3


class TestNothingIsLeft:
    def test_pages_left_unread(self) -> None:
        pages = hostile("Endless").parse(io.BytesIO()).pages()
        process = process_in(next(pages))
        assert running(process)
        pages.close()  # type: ignore[attr-defined]  # a generator
        assert_gone(process)

    def test_a_document_never_read(self, parsers: IsolatedParsers) -> None:
        gc.collect()
        document = parsers(media.TEXT).parse(io.BytesIO(b"text"))
        opened = open_files()
        del document
        gc.collect()
        assert open_files() == opened - 3
        assert_gone(*children(fork_server.pid))

    def test_descriptors(self, parsers: IsolatedParsers) -> None:
        gc.collect()
        before = open_files()
        for content in (b"text", b"", b" "):
            for _ in range(3):
                with pytest.raises(FileRejected) if not content.strip() else io.BytesIO():
                    list(parsers(media.TEXT).parse(io.BytesIO(content)).pages())
        gc.collect()
        assert open_files() == before

    def test_an_interrupted_reader(self) -> None:
        pages = hostile("Waiting").parse(io.BytesIO()).pages()
        process = process_in(next(pages))
        ended: list[BaseException] = []

        def read() -> None:
            try:
                next(pages)
            except BaseException as error:
                ended.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        while not ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(KeyboardInterrupt)
        ):
            assert thread.is_alive()
            time.sleep(0.01)
        thread.join(SOON)
        assert [type(error) for error in ended] == [KeyboardInterrupt]
        ended.clear()
        assert_gone(process)

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
    def test_the_asker_dies(self, how: int) -> None:
        program = (
            "import io, sys; from tests.contracts.adapters.parsing.sandbox.test_isolated_parsers import *\n"
            "pages = hostile('Endless').parse(io.BytesIO()).pages()\n"
            "print(fork_server.pid, process_in(next(pages)), flush=True); next(pages)"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
        ) as asker:
            assert asker.stdout is not None
            processes = [int(word) for word in asker.stdout.readline().split()]
            assert all(running(process) for process in processes)
            asker.send_signal(how)
        assert_gone(*processes)


class TestTheProgramItself:
    def test_its_death_passes_and_another_is_started(self, metrics: MemoryMetrics) -> None:
        own = ForkServer()
        pages = hostile("Waiting", metrics, own).parse(io.BytesIO()).pages()
        process = process_in(next(pages))
        first = own.pid
        os.kill(first or 0, signal.SIGKILL)
        with pytest.raises(Unavailable):
            next(pages)
        assert stopped(metrics) == {"lost": 1}
        assert_gone(process)
        again = next(hostile("Waiting", metrics, own).parse(io.BytesIO()).pages())
        assert own.pid != first
        second = own.pid
        own.close()
        assert_gone(process_in(again), second or 0)

    def test_signals_to_stop_are_not_for_it(self) -> None:
        own = ForkServer()
        pages = hostile("Talkative", fork_server=own).parse(io.BytesIO()).pages()
        for process in (process_in(next(pages)), own.pid or 0):
            os.kill(process, signal.SIGTERM)
            os.kill(process, signal.SIGINT)
        assert [next(pages).number for _ in range(200)][-1] == 201
        own.close()

    def test_a_forked_process_starts_its_own(self, parsers: IsolatedParsers) -> None:
        list(parsers(media.TEXT).parse(io.BytesIO(b"text")).pages())
        first = fork_server.pid
        child = os.fork()
        if not child:
            try:
                list(parsers(media.TEXT).parse(io.BytesIO(b"text")).pages())
                os._exit(0 if fork_server.pid != first else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert list(parsers(media.TEXT).parse(io.BytesIO(b"text")).pages())
        assert fork_server.pid == first


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def children(process: int | None) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
