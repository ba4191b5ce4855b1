"""Build the deployment: runs `sam build` and packs each function and layer into a reproducible zip archive."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
SOURCES = (
    "template.yaml",
    "samconfig.toml",
    "functions",
    "layers",
    "infra/v1.yaml",
    "infra/mcp.yaml",
    "infra/migrations",
    "infra/kubernetes/base/rds.pem",
)
NOT_SHIPPED = {"__pycache__", "cli"}
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
CONTENT = re.compile(r"^(\s+(?:CodeUri|ContentUri): )(\w+)$", re.MULTILINE)
ZIP_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # constant, so that equal contents give equal archives
KEPT_BUILDS = 2


class BuildError(Exception):
    """The template failed to build."""


@dataclass(frozen=True)
class Build:
    """A directory with the built templates and one archive for each folder they refer to."""

    directory: Path

    @property
    def template(self) -> str:
        """The template's text, which refers to folders by name."""
        return (self.directory / "template.yaml").read_text()

    @property
    def nested(self) -> dict[str, str]:
        """The text of each nested template, by the name of its stack."""
        return {path.parent.name: path.read_text() for path in sorted(self.directory.glob("*/template.yaml"))}

    @property
    def archives(self) -> dict[str, Path]:
        """The archive of each folder, by the name used in the templates."""
        return {path.stem: path for path in sorted(self.directory.glob("*.zip"))}


def architecture() -> str:
    """This machine's processor architecture, under Lambda's name for it.

    Raises:
        BuildError: Lambda does not support it.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise BuildError(f"Lambda supports x86_64 and arm64, but this machine is {machine}")
    return ARCHITECTURES[machine]


def build(home: Path) -> tuple[Build, bool]:
    """The build of the current sources for this machine, and whether it was built now rather than cached.

    Raises:
        BuildError: `sam build` failed or is not installed.
    """
    if not (ROOT / "template.yaml").exists():
        raise BuildError("template.yaml not found: run from a repository checkout installed with `pip install -e .`")
    place = home / _digest()
    if place.exists():
        place.touch()
        return Build(place), False
    draft = home / f"{place.name}.{os.getpid()}"
    try:
        _sam_build(draft / "tree")
        _archive(draft)
        if not place.exists():  # another process may have finished the same build meanwhile
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    finished = (path for path in home.iterdir() if not path.suffix)
    for old in sorted(finished, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)
    return Build(place), True


def archive_folder(folder: Path, target: Path) -> None:
    """Write a reproducible zip archive: equal contents give equal bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in _files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_TIMESTAMP)
            entry.external_attr = path.stat().st_mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def _digest() -> str:
    state = hashlib.sha256(f"{architecture()} {sys.version_info[:2]}".encode())
    for source in SOURCES:
        for path in _files(ROOT / source):
            relative = path.relative_to(ROOT)
            if not NOT_SHIPPED & set(relative.parts):
                state.update(f"{relative}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return state.hexdigest()[:16]


def _files(place: Path) -> Iterator[Path]:
    yield from (path for path in sorted([place, *place.rglob("*")]) if path.is_file())


def _sam_build(tree: Path) -> None:
    sam = Path(sys.executable).with_name("sam")
    if not sam.exists():
        raise BuildError("the AWS SAM command line is not installed: run `make .venv/.dev`")
    environment = {
        **os.environ,
        "ARCHITECTURE": architecture(),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": f"{sam.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }
    done = subprocess.run(
        [str(sam), "build", "--build-dir", str(tree)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"sam build failed:\n{done.stderr[-4000:]}")


def _archive(draft: Path) -> None:
    tree = draft / "tree"
    folders = set()
    for template in (tree / "template.yaml", *tree.glob("*/template.yaml")):
        text = template.read_text()
        folders |= {template.parent / name for _, name in CONTENT.findall(text)}
        place = draft / template.relative_to(tree)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda folder: archive_folder(folder, draft / f"{folder.name}.zip"), sorted(folders)))
    shutil.rmtree(tree)
