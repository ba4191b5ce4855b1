"""Where tests stand: those of a module at its path, those that cross modules in a folder of their own."""

from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGE, ROOT

TESTS = ROOT / "tests"
FOLDERS = {
    "architecture",
    "browser",
    "contracts",
    "e2e",
    "faults",
    "functions",
    "localstack",
    "quality",
    "scenarios",
    "unit",
}
SOURCES = {
    "benchmarks": ROOT / "benchmarks",
    "modulo_client": ROOT / "clients" / "python" / "modulo_client",
    "modulo_localstack": ROOT / "localstack" / "plugin" / "modulo_localstack",
}
"""What is no part of the package, by the first folder of its tests' path."""
DOUBLES = sorted(path.stem for path in (TESTS / "doubles").glob("memory_*.py"))


def files_below(folder: str) -> list[Path]:
    return sorted((TESTS / folder).rglob("test_*.py"))


def subjects_of(path: Path) -> list[Path]:
    """The modules and packages that a test may be of: `test_<module>.py`, or `test_<module>_<aspect>.py`."""
    first, *_ = parts = path.parts[1:]
    folder = SOURCES[first].parent.joinpath(*parts[:-1]) if first in SOURCES else PACKAGE.joinpath(*parts[:-1])
    subject = path.stem.removeprefix("test_")
    names = [subject[: len(subject) - cut] for cut in range(len(subject)) if subject[len(subject) - cut :][:1] in "_"]
    found = [(folder / f"{name}.py", folder / name / "__init__.py") for name in names]
    return [module for pair in found for module in pair if module.is_file()]


@pytest.mark.parametrize("folder", ["unit", "contracts"])
def test_a_test_stands_at_the_path_of_what_it_tests(folder: str) -> None:
    paths = [path.relative_to(TESTS) for path in files_below(folder)]
    assert paths
    assert [str(path) for path in paths if not subjects_of(path)] == []


def test_the_mirror_tells_what_is_there_from_what_is_not() -> None:
    assert subjects_of(Path("unit/domain/test_errors_hostile.py")) == [PACKAGE / "domain" / "errors.py"]
    assert subjects_of(Path("unit/test_domain.py")) == [PACKAGE / "domain" / "__init__.py"]
    assert subjects_of(Path("unit/benchmarks/test_report.py")) == [ROOT / "benchmarks" / "report.py"]
    assert subjects_of(Path("unit/test_citations.py")) == []
    assert subjects_of(Path("unit/domain/test_cite.py")) == []


def test_what_crosses_modules_stands_in_a_folder_that_says_how() -> None:
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert folders <= FOLDERS


@pytest.mark.parametrize("double", DOUBLES)
def test_each_double_is_held_to_the_contract_of_the_real_one(double: str) -> None:
    held = [path for path in files_below("contracts") if f"from tests.doubles.{double} import" in path.read_text()]
    assert held
