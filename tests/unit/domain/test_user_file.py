import pytest

from modulo.domain.user_file import numbered


@pytest.mark.parametrize(
    ("name", "number", "made"),
    [
        ("notes.txt", 1, "notes.txt"),
        ("notes.txt", 2, "notes (2).txt"),
        ("archive.tar.gz", 3, "archive.tar (3).gz"),
        ("README", 2, "README (2)"),
        (".env", 2, ".env (2)"),
    ],
)
def test_the_number_stands_before_the_extension(name, number, made):
    assert numbered(name, number) == made
