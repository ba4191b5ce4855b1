"""Hot reload: update a deployed stack's functions and core layer when their sources are edited."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modulo.cli.build import NOT_SHIPPED, ROOT, architecture, archive_folder
from modulo.cli.deploy import Deployment

CORE = "layers/core/python/modulo"
SHIPPED_WITH_CORE = (CORE, "infra/migrations")
Version = tuple[int, int]
"""Of a file: its modification time in nanoseconds, and its size in bytes."""


class ReloadError(Exception):
    """The edited sources failed to build."""


class HotReloader:
    """Detects edited sources and updates the deployed stack."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lambda = deployment.cloud.client("lambda")
        self._seen = dict(_versions())

    def reload_edited(self) -> list[str]:
        """Deploy what was edited since the last call; the names of the updated functions.

        Raises:
            ReloadError: the core layer failed to build, or an edited folder has no function.
        """
        now = dict(_versions())
        edited = {path for path in now.keys() | self._seen.keys() if now.get(path) != self._seen.get(path)}
        self._seen = now
        folders = sorted({path.split("/")[1] for path in edited if path.startswith("functions/")})
        for folder in folders:
            self._replace_code(folder)
        changed = [self._function(folder) for folder in folders]
        if any(path.startswith(SHIPPED_WITH_CORE) for path in edited):
            changed = sorted(self._deployment.functions.values())
            self._replace_core(changed)
        for function in changed:
            self._publish(function)
        return changed

    def _function(self, folder: str) -> str:
        """The deployed function of a folder."""
        logical_id = "".join(word.capitalize() for word in folder.split("_"))
        if logical_id not in self._deployment.functions:
            raise ReloadError(f"functions/{folder} has no function in the deployment: deploy again")
        return self._deployment.functions[logical_id]

    def _replace_code(self, folder: str) -> None:
        function = self._function(folder)
        with tempfile.TemporaryDirectory() as work:
            archive_folder(ROOT / "functions" / folder, Path(work, "code.zip"))
            self._lambda.update_function_code(FunctionName=function, ZipFile=Path(work, "code.zip").read_bytes())
        self._settled(function)

    def _replace_core(self, functions: list[str]) -> None:
        name = f"{self._deployment.name}-core"
        with tempfile.TemporaryDirectory() as work:
            _build_core(Path(work, "tree"))
            archive_folder(Path(work, "tree"), Path(work, "core.zip"))
            content = Path(work, "core.zip").read_bytes()
        published = self._lambda.publish_layer_version(LayerName=name, Content={"ZipFile": content})
        for function in functions:
            arns = [layer["Arn"] for layer in self._configuration(function)["Layers"]]
            layers = [published["LayerVersionArn"] if f":layer:{name}:" in arn else arn for arn in arns]
            self._lambda.update_function_configuration(FunctionName=function, Layers=layers)
        for function in functions:
            self._settled(function)

    def _publish(self, function: str) -> None:
        """Publish a version and point the function's aliases at it: the API may call an alias."""
        aliases = self._lambda.list_aliases(FunctionName=function)["Aliases"]
        if aliases:
            version = self._lambda.publish_version(FunctionName=function)["Version"]
            for alias in aliases:
                self._lambda.update_alias(FunctionName=function, Name=alias["Name"], FunctionVersion=version)

    def _configuration(self, function: str) -> dict[str, Any]:
        found: dict[str, Any] = self._lambda.get_function_configuration(FunctionName=function)
        return found

    def _settled(self, function: str) -> None:
        waiter = self._lambda.get_waiter("function_updated_v2")
        waiter.wait(FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def _versions() -> Iterator[tuple[str, Version]]:
    """Every deployed source file as a path below the repository, with its version."""
    for place in ("functions", *SHIPPED_WITH_CORE):
        for directory, folders, files in os.walk(ROOT / place):
            folders[:] = [name for name in folders if name not in NOT_SHIPPED]
            for name in files:
                path = Path(directory, name)
                state = path.stat()
                yield path.relative_to(ROOT).as_posix(), (state.st_mtime_ns, state.st_size)


def _build_core(tree: Path) -> None:
    make = shutil.which("make") or "make"
    target = ["build-CoreLayer", f"ARTIFACTS_DIR={tree}", f"ARCHITECTURE={architecture()}", f"PYTHON={sys.executable}"]
    done = subprocess.run([make, "-C", str(ROOT / "layers"), *target], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReloadError(f"the core layer failed to build:\n{done.stderr[-2000:]}")
