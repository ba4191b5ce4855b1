from pathlib import Path

import pytest

from modulo_client.sources import checksum_of, sources_of


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
