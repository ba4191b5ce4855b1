import io
import stat
import struct
import zipfile
from collections.abc import Callable

import pytest

from modulo.adapters.parsing import zip_archive
from modulo.adapters.parsing.zip_unpacker import ZipUnpacker
from modulo.domain.errors import CorruptFile, FileRejected, OversizedFile, UnsupportedFile
from modulo.domain.files.archive import ArchivedFile, ArchiveLimits
from tests import documents
from tests.faults.hostile_files import mutants

LIMITS = ArchiveLimits(files=100, total_bytes=32 * 1024**2, file_bytes=16 * 1024**2, depth=3)
PLAIN = documents.zipped([("a.txt", b"Rain."), ("b/c.txt", b"Snow."), ("b/", b"")])


def unpack(content: bytes, **limits: int) -> list[ArchivedFile]:
    chosen = ArchiveLimits(**{**{name: getattr(LIMITS, name) for name in LIMITS.__slots__}, **limits})
    return list(ZipUnpacker(chosen).unpack(io.BytesIO(content)))


def told(files: list[ArchivedFile]) -> list[tuple[str, object]]:
    return [(file.path, type(file.problem).__name__ if file.problem else file.content) for file in files]


def test_files_in_order_without_folders() -> None:
    assert told(unpack(PLAIN)) == [("a.txt", b"Rain."), ("b/c.txt", b"Snow.")]


def test_an_archive_of_nothing() -> None:
    assert unpack(documents.zipped([])) == []


def test_what_systems_leave_is_passed_over() -> None:
    content = documents.zipped([("__MACOSX/._a.txt", b"x"), (".DS_Store", b"x"), ("a.txt", b"Rain.")])
    assert told(unpack(content)) == [("a.txt", b"Rain.")]


def test_each_is_read_when_asked_for() -> None:
    unread = iter(ZipUnpacker(LIMITS).unpack(io.BytesIO(damaged("b/c.txt"))))
    assert next(unread).content == b"Rain."


def damaged(name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(PLAIN)) as archive:
        place = archive.getinfo(name).header_offset + 30 + len(name)
    return PLAIN[:place] + b"\xff" + PLAIN[place + 1 :]


def test_a_damaged_file_is_left_out_alone() -> None:
    assert told(unpack(damaged("a.txt"))) == [("a.txt", "CorruptFile"), ("b/c.txt", b"Snow.")]


def nested(depth: int) -> bytes:
    content = PLAIN
    for _ in range(depth - 1):
        content = documents.zipped([("in.zip", content), ("beside.txt", b"Hail.")])
    return content


def test_archives_in_archives() -> None:
    assert told(unpack(nested(2))) == [
        ("in.zip/a.txt", b"Rain."),
        ("in.zip/b/c.txt", b"Snow."),
        ("beside.txt", b"Hail."),
    ]
    assert [path for path, what in told(unpack(nested(4))) if what == "OversizedFile"] == ["in.zip/in.zip/in.zip"]


def test_a_broken_archive_in_an_archive_is_left_out_alone() -> None:
    content = documents.zipped([("in.zip", PLAIN[:-30]), ("a.txt", b"Rain.")])
    assert told(unpack(content)) == [("in.zip", "CorruptFile"), ("a.txt", b"Rain.")]


def test_documents_that_are_archives_stay_whole() -> None:
    word = documents.word()
    assert told(unpack(documents.zipped([("a.docx", word), ("b.xlsx", documents.workbook())])))[0] == ("a.docx", word)


def encrypted() -> bytes:
    content = bytearray(PLAIN)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    return bytes(content)


def link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("b/c.txt", b"Snow.")
    return out.getvalue()


def otherwise_packed() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"Rain.", zipfile.ZIP_BZIP2)
        archive.writestr("b/c.txt", b"Snow.")
    return out.getvalue()


def bomb() -> bytes:
    return documents.zipped([("a.txt", bytes(8 * 1024**2)), ("b/c.txt", b"Snow.")])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (encrypted, "EncryptedFile"),
        (link, "UnsupportedFile"),
        (otherwise_packed, "UnsupportedFile"),
        (bomb, "OversizedFile"),
    ],
)
def test_what_is_not_read_is_left_out_by_name(content: Callable[[], bytes], problem: str) -> None:
    assert told(unpack(content())) == [("a.txt", problem), ("b/c.txt", b"Snow.")]


def test_sizes_are_bounded_one_by_one_and_together() -> None:
    three = documents.zipped([("a.txt", b"x" * 60), ("b.txt", b"y" * 50), ("c.txt", b"z" * 40)])
    assert [what for _, what in told(unpack(three, file_bytes=55))] == ["OversizedFile", b"y" * 50, b"z" * 40]
    assert [what for _, what in told(unpack(three, total_bytes=105))] == [b"x" * 60, "OversizedFile", b"z" * 40]


def test_the_number_is_bounded_over_all_depths() -> None:
    many = documents.zipped([(f"{number}.zip", PLAIN) for number in range(50)])
    found = unpack(many, files=10)
    assert len([file for file in found if file.problem is None]) < 10
    assert isinstance(found[-1].problem, OversizedFile)


def test_a_size_that_lies_yields_no_more_than_it_names() -> None:
    content = bytearray(documents.zipped([("a.txt", b"x" * 100_000)]))
    place = content.rindex(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 10)
    assert told(unpack(bytes(content))) == [("a.txt", "CorruptFile")]


def test_a_long_table_of_contents_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", 50)
    with pytest.raises(OversizedFile):
        unpack(PLAIN)


def test_the_form_of_huge_archives_is_not_read() -> None:
    place = PLAIN.rindex(b"PK\x05\x06")
    with pytest.raises(UnsupportedFile, match="4 GB"):
        unpack(PLAIN[:place] + b"PK\x06\x07" + bytes(16) + PLAIN[place:])


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", PLAIN[:-22], PLAIN[:-5], b"x" * 99])
def test_what_is_no_archive_is_corrupt(content: bytes) -> None:
    with pytest.raises(FileRejected) as error:
        unpack(content)
    assert isinstance(error.value, CorruptFile)


def test_damage_anywhere_leaves_files_out_or_refuses_all() -> None:
    for mutant in mutants(nested(2), 300, seed=3):
        try:
            files = unpack(mutant)
        except FileRejected:
            continue
        assert all(file.problem is not None or isinstance(file.content, bytes) for file in files)
