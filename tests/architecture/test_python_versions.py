"""One version of Python, from the layers' bytecode to the functions' runtime."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, template

DEFAULT = re.search(r"^PYTHON_VERSION \?= (\S+)$", (ROOT / "layers" / "Makefile").read_text(), re.M)[1]
NOT_PROVED = "NOT PROVED"


def build_core(place: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """The core layer, of which nothing is downloaded."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "-C", ROOT / "layers", "build-CoreLayer", f"ARTIFACTS_DIR={place}"],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def tags(place: Path) -> set[str]:
    """The versions that modules are compiled for; each module is."""
    sources = list((place / "python").rglob("*.py"))
    compiled = list((place / "python").rglob("*.pyc"))
    assert sources
    assert len(sources) == len(compiled)
    return {path.name.split(".")[-2] for path in compiled}


def test_the_template_runs_what_the_layers_are_built_for(tmp_path: Path) -> None:
    done = build_core(tmp_path)
    assert done.returncode == 0, done.stderr
    runtime = template()["Parameters"]["Runtime"]["Default"]
    assert runtime == f"python{DEFAULT}"
    assert tags(tmp_path) == {runtime.replace("python", "cpython-").replace(".", "")}


def test_another_version_is_compiled_by_its_own_interpreter(tmp_path: Path) -> None:
    done = build_core(tmp_path, PYTHON_VERSION="3.13")
    if "Python 3.13 is not on this machine" in done.stderr:
        pytest.skip(f"{NOT_PROVED} layers for Python 3.13: that version is not on this machine")
    assert done.returncode == 0, done.stderr
    assert tags(tmp_path) == {"cpython-313"}


def test_a_version_that_is_not_here_builds_nothing(tmp_path: Path) -> None:
    done = build_core(tmp_path, PYTHON_VERSION="3.99")
    assert done.returncode != 0
    assert "Python 3.99 is not on this machine" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_interpreter_of_another_version_does_not_pass_for_it(tmp_path: Path) -> None:
    python = shutil.which("python3")
    assert importlib.util.cache_from_source("a.py").endswith(f"cpython-{DEFAULT.replace('.', '')}.pyc")
    done = build_core(tmp_path, PYTHON_VERSION="3.99", PYTHON=str(python))
    assert done.returncode != 0
    assert "Python 3.99 is not on this machine" in done.stderr


def test_the_template_offers_what_the_code_supports() -> None:
    assert template()["Parameters"]["Runtime"]["AllowedValues"] == ["python3.11", "python3.12", "python3.13"]
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()
