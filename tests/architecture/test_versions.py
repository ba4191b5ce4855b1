"""A function behind an alias gets a new version whenever its code changes, that of its layers too."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from modulo.cli.build import archive_folder
from tests.architecture.sources import FUNCTIONS, ROOT, logical_id, properties, template, translate

CORE = "layers/core/python/modulo"
CERTIFICATES = "infra/kubernetes/base/rds.pem"
ALIASED = [name for name in FUNCTIONS if "AutoPublishAlias" in properties(name)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what functions and layers are built from."""
    for folder in ("functions", "layers", "infra/migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / CERTIFICATES).parent.mkdir(parents=True)
    shutil.copy(ROOT / CERTIFICATES, tmp_path / CERTIFICATES)
    return tmp_path


def packaged(checkout: Path, name: str, **variables: str) -> bytes:
    """The archive of a function, as `sam build` and `sam package` make it."""
    artifacts = checkout / "artifacts"
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir()
    command = ["make", f"build-{logical_id(name)}", *(f"{key}={value}" for key, value in variables.items())]
    done = subprocess.run(
        [*command, f"ARTIFACTS_DIR={artifacts}"],
        cwd=checkout / "functions" / name,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (artifacts / "app.py").read_bytes() == (checkout / "functions" / name / "app.py").read_bytes()
    target = checkout / "function.zip"
    archive_folder(artifacts, target)
    return target.read_bytes()


def versions(contents: Mapping[str, str]) -> set[str]:
    """The logical ids of the versions that a deployment publishes."""
    resources = translate(contents)["Resources"]
    return {name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"}


def change(checkout: Path, path: str) -> None:
    with (checkout / path).open("a") as file:
        file.write("\n")


def test_a_function_behind_an_alias_carries_the_digest_of_its_layers() -> None:
    assert "search" in ALIASED
    for name in ALIASED:
        assert template()["Resources"][logical_id(name)]["Metadata"] == {"BuildMethod": "makefile"}


@pytest.mark.parametrize("name", ALIASED)
@pytest.mark.parametrize(
    "path",
    [
        f"{CORE}/usecases/search/pipeline.py",
        "layers/vectors/requirements.txt",
        "layers/dependencies/requirements.txt",
        "layers/Makefile",
        "infra/migrations/env.py",
    ],
)
def test_a_changed_layer_changes_the_function(checkout: Path, name: str, path: str) -> None:
    before = packaged(checkout, name)
    assert packaged(checkout, name) == before
    change(checkout, path)
    assert packaged(checkout, name) != before


@pytest.mark.parametrize("name", ALIASED)
def test_another_python_or_processor_changes_the_function(checkout: Path, name: str) -> None:
    archives = [
        packaged(checkout, name, **variables)
        for variables in ({}, {"PYTHON_VERSION": "3.13"}, {"ARCHITECTURE": "x86_64"})
    ]
    assert len(set(archives)) == 3


@pytest.mark.parametrize("name", ALIASED)
def test_what_no_layer_ships_changes_nothing(checkout: Path, name: str) -> None:
    before = packaged(checkout, name)
    change(checkout, f"{CORE}/cli/main.py")
    assert packaged(checkout, name) == before


def test_a_changed_function_publishes_a_version_and_a_changed_layer_alone_would_not() -> None:
    before = versions({"Search": "one", "CoreLayer": "one"})
    assert len(before) == len(ALIASED)
    assert versions({"Search": "one", "CoreLayer": "two"}) == before, "SAM hashes layers now: the Makefile may go"
    assert versions({"Search": "two", "CoreLayer": "two"}).isdisjoint(before)
