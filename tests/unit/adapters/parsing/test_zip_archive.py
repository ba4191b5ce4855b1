import io
import struct
import zipfile

import pytest

from modulo.adapters.parsing import zip_archive
from modulo.adapters.parsing.office.ooxml import Package
from modulo.adapters.parsing.zip_archive import expands_suspiciously, open_archive
from modulo.domain.errors import CorruptFile, OversizedFile, UnsupportedFile
from tests import documents


def zip64(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """An archive whose end is written in the form of those of more than 4 GB."""
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 0)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("a.txt", b"Rain.")
    return content.getvalue()


def test_the_form_of_huge_archives_is_read_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zip64(monkeypatch)
    assert open_archive(io.BytesIO(content), zip64=True).namelist() == ["a.txt"]
    with pytest.raises(UnsupportedFile, match="ZIP64"):
        open_archive(io.BytesIO(content), zip64=False)


def test_a_long_directory_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = zip64(monkeypatch)
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", 50)
    for archive in (content, documents.word()):
        with pytest.raises(OversizedFile, match="too many files"):
            open_archive(io.BytesIO(archive), zip64=True)
    with pytest.raises(OversizedFile, match="too many files"):
        Package(io.BytesIO(documents.word()))


@pytest.mark.parametrize("offset", [0, 2**31, 2**63, 2**64 - 1])
def test_a_locator_that_points_elsewhere_is_damage(monkeypatch: pytest.MonkeyPatch, offset: int) -> None:
    content = zip64(monkeypatch)
    locator = content.rindex(b"PK\x06\x07")
    damaged = content[: locator + 8] + struct.pack("<Q", offset) + content[locator + 16 :]
    with pytest.raises((CorruptFile, OversizedFile)):
        open_archive(io.BytesIO(damaged), zip64=True)


def test_only_large_contents_expand_suspiciously() -> None:
    assert expands_suspiciously(5 * 1024**2, 20_000)
    assert not expands_suspiciously(3 * 1024**2, 20)
    assert not expands_suspiciously(5 * 1024**2, 1024**2)
