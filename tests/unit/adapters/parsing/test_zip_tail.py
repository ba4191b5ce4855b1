import io
import zipfile

import pytest

from modulo.adapters.parsing.parser_registry import parser_for
from modulo.adapters.parsing.zip_tail import without_padding
from modulo.adapters.parsing.zip_unpacker import ZipUnpacker
from modulo.domain.errors import CorruptFile
from modulo.domain.files import media
from modulo.domain.files.archive import ArchiveLimits
from tests import documents

LIMITS = ArchiveLimits(files=10, total_bytes=1024**2, file_bytes=1024**2, depth=2)


def archive(comment: bytes = b"") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("a.txt", b"Rain.")
        written.comment = comment
    return content.getvalue()


@pytest.mark.parametrize(
    "padding", [b"", b"\0" * 100, b"\0" * 40_000, b"\0" * 65_536, b"\0" * 500_000, b"\r\n \x1a" * 50_000]
)
@pytest.mark.parametrize("comment", [b"", b"a comment", b"\0" * 1_000])
def test_padding_is_no_part_of_an_archive(padding: bytes, comment: bytes) -> None:
    files = list(ZipUnpacker(LIMITS).unpack(io.BytesIO(archive(comment) + padding)))
    assert [(file.path, file.content) for file in files] == [("a.txt", b"Rain.")]


@pytest.mark.parametrize(
    ("media_type", "content"),
    [(media.DOCX, documents.word()), (media.XLSX, documents.workbook()), (media.PPTX, documents.slides())],
)
def test_office_documents(media_type: str, content: bytes) -> None:
    def texts(found: bytes) -> list[str]:
        pages = parser_for(media_type).parse(io.BytesIO(found)).pages()
        return [block.text for page in pages for block in page.blocks]

    assert texts(content + bytes(300_000)) == texts(content)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", archive()[:-30]])
def test_what_has_no_end_is_corrupt(content: bytes) -> None:
    with pytest.raises(CorruptFile):
        list(ZipUnpacker(LIMITS).unpack(io.BytesIO(content + bytes(300_000))))


def test_the_rest_is_a_file_of_its_own() -> None:
    rest = without_padding(io.BytesIO(archive() + bytes(300_000)))
    assert rest.read() == archive()
    assert (rest.seek(-2, io.SEEK_END), rest.read(10), rest.seek(0)) == (len(archive()) - 2, b"\0\0", 0)
