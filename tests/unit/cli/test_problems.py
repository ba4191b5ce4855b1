"""The page of problems, and what uploaders are told of errors."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import modulo
from modulo.cli.problems import page, visible_errors
from modulo.domain.errors import DeadMessage, EncryptedFile, FileFailed, ModuloError, Throttled, UnsupportedFile
from modulo.domain.files.file import FileProblem


def below(error: type[ModuloError]) -> set[type[ModuloError]]:
    return {error}.union(*(below(child) for child in error.__subclasses__()))


def test_the_page_is_current() -> None:
    assert Path("infra/problems.md").read_text() == page(), "run: make openapi"


def test_every_error_of_every_module_is_on_the_page() -> None:
    for module in pkgutil.walk_packages(modulo.__path__, "modulo."):
        import_module(module.name)
    ours = {error for error in below(ModuloError) if error.__module__.startswith("modulo.")}
    ours = {error for error in ours if not error.__module__.startswith("modulo.cli.")}  # those end a command
    codes = {error.code() for error in ours - {ModuloError, FileFailed, DeadMessage}}
    assert codes == {error.code() for error in visible_errors()}
    assert all(page().count(f"| `{code}` |") for code in codes)


def test_a_new_kind_needs_no_more_than_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    class UpsideDownFile(UnsupportedFile):
        """The file stands on its head: turn it round."""

        __module__ = "modulo.domain.errors"

    assert "| `upside-down-file` | no | The file stands on its head: turn it round. |" in page()
    monkeypatch.setattr(UpsideDownFile, "__module__", __name__)  # the class lives as long as its garbage
    assert "upside-down-file" not in page()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EncryptedFile(), ("encrypted-file", False)),
        (Throttled("The embedder is busy."), ("throttled", True)),
        (RuntimeError("a secret"), ("internal-error", True)),
    ],
    ids=["permanent", "passing", "a bug"],
)
def test_a_file_shows_the_class_of_its_error(error: Exception, expected: tuple[str, bool]) -> None:
    problem = FileProblem.of(error)
    assert (problem.code, problem.retryable) == expected
    assert "secret" not in problem.detail
