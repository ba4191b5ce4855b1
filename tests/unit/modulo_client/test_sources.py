import os
import unicodedata
from pathlib import Path

import pytest

from modulo_client.sources import Source, checksum_of, excluded, parts_of, sources_below, sources_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.txt", "deep/b.pdf", "deep/deeper/c.pdf", ".git/config", "deep/.DS_Store"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "docs"


def names(*given: str | Path) -> list[str]:
    return [source.name for source in sources_of(*given)]


def test_a_folder_is_read_whole_without_what_is_hidden(folder: Path) -> None:
    assert names(folder) == ["a.txt", "deep - b.pdf", "deep - deeper - c.pdf"]


def test_a_pattern_names_files_by_what_it_leaves_open(folder: Path) -> None:
    assert names(f"{folder}/**/*.pdf") == ["deep - b.pdf", "deep - deeper - c.pdf"]
    assert names(f"{folder}/deep/*.pdf") == ["b.pdf"]


def test_a_file_and_an_address_are_themselves(folder: Path) -> None:
    [file, page] = sources_of(folder / "a.txt", "https://example.org/guide.html")
    assert (file.name, file.path) == ("a.txt", folder / "a.txt")
    assert (page.name, page.url) == ("https://example.org/guide.html",) * 2


def test_what_is_hidden_can_be_named(folder: Path) -> None:
    assert names(folder / ".git" / "config") == ["config"]


def test_each_file_is_added_once(folder: Path) -> None:
    assert names(folder / "a.txt", folder / "a.txt") == ["a.txt"]


def test_two_files_of_one_name_are_refused(folder: Path) -> None:
    (folder / "deep" / "a.txt").write_text("another")
    with pytest.raises(ValueError, match=r"both be named 'a\.txt'"):
        sources_of(folder / "a.txt", folder / "deep" / "a.txt")
    assert names(folder)[:2] == ["a.txt", "deep - a.txt"]


@pytest.mark.parametrize("missing", ["none.txt", "*.docx", "none/**/*.pdf"])
def test_what_is_not_there_is_told(folder: Path, missing: str) -> None:
    with pytest.raises(FileNotFoundError):
        sources_of(f"{folder}/{missing}")


def test_a_file_with_the_signs_of_a_pattern_in_its_name_is_a_file(folder: Path) -> None:
    (folder / "[draft] a*.txt").write_text("x")
    assert names(folder / "[draft] a*.txt") == ["[draft] a*.txt"]


def test_a_checksum_is_that_of_the_bytes(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"abc")
    assert checksum_of(folder / "a.txt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("pattern", ["*.pdf", "deep", "deep/", "deep/*.pdf"])
def test_what_is_excluded_is_left_out_of_folders_and_patterns(folder: Path, pattern: str) -> None:
    assert [one.name for one in sources_of(folder, exclude=[pattern])] == ["a.txt"]
    assert [one.name for one in sources_of(f"{folder}/**/*.*", exclude=[pattern])] == ["a.txt"]


def test_a_name_that_was_made_of_a_path_is_excluded_like_the_path() -> None:
    assert excluded(parts_of("deep - deeper - c.pdf"), ["deep/deeper"])
    assert not excluded(parts_of("deep - deeper - c.pdf"), ["deeper/deep", "*.txt", "eep"])


def test_a_link_to_a_folder_is_not_followed(folder: Path) -> None:
    (folder / "deep" / "again").symlink_to(folder)
    assert names(folder) == ["a.txt", "deep - b.pdf", "deep - deeper - c.pdf"]


def test_names_in_every_script_are_composed_and_bytes_that_are_no_text_replaced(folder: Path) -> None:
    (folder / unicodedata.normalize("NFD", "Größe 大小.txt")).write_text("x")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    assert {"Größe 大小.txt", "caf\ufffd.txt"} <= set(names(folder))


def test_a_source_is_itself(folder: Path) -> None:
    source = Source("named.txt", folder / "a.txt")
    assert sources_of(source) == [source]


def test_a_folder_has_to_be_one(folder: Path) -> None:
    assert len(sources_below(folder)) == 3
    with pytest.raises(FileNotFoundError, match="is no folder"):
        sources_below(folder / "a.txt")
