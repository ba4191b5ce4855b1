"""Names in archives as computers of several countries write them."""

import io
import struct
import zipfile
import zlib

import pytest

from modulo.adapters.parsing.zip_names import member_names


def infos(*names: bytes, extra: bytes = b"") -> list[zipfile.ZipInfo]:
    """The entries of an archive whose names are these bytes, without the mark of Unicode."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(names):
            info = zipfile.ZipInfo(chr(ord("a") + number) * len(name))
            info.extra = extra
            archive.writestr(info, b"x")
    written = content.getvalue()
    for number, name in enumerate(names):
        written = written.replace(bytes([ord("a") + number]) * len(name), name)
    return zipfile.ZipFile(io.BytesIO(written)).infolist()


@pytest.mark.parametrize(
    ("name", "code_page"),
    [
        *[("合同文件夹.txt", "gbk"), ("合約.txt", "big5"), ("見積書.pdf", "cp932"), ("계약서.docx", "cp949")],
        *[("Договор.pdf", "cp866"), ("Übersicht März.txt", "cp437"), ("Übersicht März.txt", "cp850")],
        *[("Größe.txt", "cp1252"), ("Übersicht März.txt", "utf-8"), ("plain.txt", "ascii"), ("résumé.txt", "cp437")],
    ],
)
def test_the_code_page_of_the_writer(name: str, code_page: str) -> None:
    assert member_names(infos(b"readme.txt", name.encode(code_page))) == ["readme.txt", name]


def test_names_tell_their_code_page_together() -> None:
    names = ["план.txt", "отчёт за май.txt", "смета.txt"]
    assert member_names(infos(*(name.encode("cp866") for name in names))) == names


def test_marked_names_stay() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("合同.txt", b"x")
    assert member_names(zipfile.ZipFile(io.BytesIO(content.getvalue())).infolist()) == ["合同.txt"]


def unicode_path(name: str, shown: bytes) -> bytes:
    content = b"\x01" + struct.pack("<I", zlib.crc32(shown)) + name.encode()
    return b"\x09\x00\x01\x00x" + struct.pack("<HH", 0x7075, len(content)) + content


def test_the_name_in_the_extra_field() -> None:
    assert member_names(infos(b"?.txt", extra=unicode_path("合同.txt", b"?.txt"))) == ["合同.txt"]
    assert member_names(infos(b"renamed.txt", extra=unicode_path("合同.txt", b"?.txt"))) == ["renamed.txt"]
