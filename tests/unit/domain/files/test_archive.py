import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.files.archive import MAX_NAME_CHARACTERS, ArchivedNames, is_system_file, safe_path


@pytest.mark.parametrize(
    ("path", "harmless"),
    [
        ("a/b.txt", "a/b.txt"),
        ("/etc/passwd", "etc/passwd"),
        ("../../etc/passwd", "etc/passwd"),
        ("a/../b/./c.txt", "a/b/c.txt"),
        ("C:\\Users\\ada\\a.txt", "Users/ada/a.txt"),
        ("c:/a.txt", "a.txt"),
        ("\\\\server\\share\\a.txt", "server/share/a.txt"),
        ("a:b.txt", "a:b.txt"),
        ("a//b.txt", "a/b.txt"),
        (" a / b.txt ", "a/b.txt"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("..", "unnamed"),
        ("a\0b.txt", "a_b.txt"),
        ("a\r\nb.txt", "a__b.txt"),
        ("a\u202etxt.exe", "a_txt.exe"),
        ("e\u0301.txt", "\u00e9.txt"),
        (".hidden/.env", ".hidden/.env"),
        ("\u05d3\u05d5\u05d7.pdf", "\u05d3\u05d5\u05d7.pdf"),
    ],
)
def test_a_path_leads_nowhere_but_down(path: str, harmless: str) -> None:
    assert safe_path(path) == harmless


def test_names_begin_with_the_archives() -> None:
    assert ArchivedNames("a.zip").name("b/c.pdf") == "a.zip/b/c.pdf"


def test_what_would_be_called_alike_is_numbered() -> None:
    names = ArchivedNames("a.zip")
    paths = ["r.txt", "R.TXT", "./r.txt", "b/r", "b/R", "x.y/r", "x.y/r", "r (2).txt"]
    assert [names.name(path).removeprefix("a.zip/") for path in paths] == [
        "r.txt",
        "R (2).TXT",
        "r (3).txt",
        "b/r",
        "b/R (2)",
        "x.y/r",
        "x.y/r (2)",
        "r (2) (2).txt",
    ]


def test_long_paths_lose_their_middle() -> None:
    names = ArchivedNames("z" * 255)
    made = [names.name(f"first/{'a' * 600}{number}/last.txt") for number in range(3)]
    assert all(len(name) <= MAX_NAME_CHARACTERS for name in made)
    assert len(set(made)) == 3
    assert all(name.startswith(f"{'z' * 255}/first/a") and name.endswith("/last.txt") for name in made)


@pytest.mark.parametrize("path", ["__MACOSX/._a.pdf", "a/.DS_Store", "Thumbs.db", "a/DESKTOP.INI"])
def test_litter_is_known(path: str) -> None:
    assert is_system_file(path)
    assert not is_system_file("a/notes.txt")


@given(st.lists(st.text(max_size=300), max_size=8))
def test_any_paths_give_names_that_are_harmless_and_apart(paths: list[str]) -> None:
    names, again = ArchivedNames("a.zip"), ArchivedNames("a.zip")
    made = [names.name(path) for path in paths]
    assert made == [again.name(path) for path in paths]
    assert len({name.casefold() for name in made}) == len(made)
    for name in made:
        assert name.startswith("a.zip/")
        assert len(name) <= MAX_NAME_CHARACTERS
        assert not set(name.split("/")) & {"", ".", ".."}
        assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in name)
