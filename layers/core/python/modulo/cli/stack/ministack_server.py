"""MiniStack's process when it runs functions: `python -m modulo.cli.stack.ministack_server`.

Five of MiniStack's behaviours are patched. Functions run in a bare Python instead of MiniStack's own virtual
environment, so that a package missing from a layer is noticed. Each layer is unpacked once instead of once a process.
`~1` in a template's binary media types is read as a slash; otherwise uploads would reach functions as broken text.
Nested templates are transformed as the root is, which is what CloudFormation does; SAM's resources would be unknown.
What an update leaves as it was keeps its attributes in a nested stack, too; references to them would fail.
"""

import hashlib
import importlib
import io
import os
import shlex
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modulo.cli.stack.cloud_server import guarded
from modulo.cli.stack.object_versions import serve_versions_as_s3

Resolve = Callable[[Any], bytes | None]


class Layers:
    """Cache of unpacked layers in one directory, keyed by content hash."""

    def __init__(self, home: Path, resolve: Resolve) -> None:
        self._home = home
        self._resolve = resolve
        self._lock = threading.Lock()

    def pointer(self, layer: Any) -> bytes | None:
        """A small archive to use instead of the layer; its .pth file puts the unpacked layer on `sys.path`."""
        content = self._resolve(layer)
        if not content:
            return content
        place = self._unpacked(content)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            line = f"import sys; sys.path.insert(0, {str(place / 'python')!r})\n"
            file.writestr("python/lib/python3/site-packages/layer.pth", line)
        return archive.getvalue()

    def _unpacked(self, content: bytes) -> Path:
        place = self._home / hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            if not place.exists():
                draft = place.with_suffix(".new")
                shutil.rmtree(draft, ignore_errors=True)
                with zipfile.ZipFile(io.BytesIO(content)) as file:
                    file.extractall(draft)
                draft.rename(place)
        return place


def transform_nested(formation: Any, engine: Any, provisioners: Any) -> None:
    """Have MiniStack treat nested stacks as roots: their code differs, and lacks these two steps."""
    parse, update = engine._parse_template, provisioners._update_resource
    engine._parse_template = lambda body: engine._apply_transforms(parse(body))

    def update_resource(*resource: Any) -> Any:
        *_, stack, logical_id = resource
        return update(*resource, formation._stacks[stack]["_resources"][logical_id]["Attributes"])

    provisioners._update_resource = update_resource


def bare_python(home: Path) -> Path:
    """Write a script below `home` that runs the base Python without any site packages; its path."""
    program = home / "python"
    interpreter = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    program.write_text(f'#!/bin/sh\nexec {interpreter} -I -S "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return program


def main() -> None:
    """Patch MiniStack and serve until a stop signal."""
    home = Path(os.environ.pop("MODULO_FUNCTIONS_HOME"))
    python = str(bare_python(home))
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    script = runtime._detect_runtime_binary("python3.11")[1]
    runtime._detect_runtime_binary = lambda _runtime: (python, script)
    resolve = functions._resolve_layer_zip
    functions._resolve_layer_zip = Layers(home, resolve).pointer
    # Lambda's size limit of 250 MB still counts the real layers, not the small archives.
    functions._layer_unzipped_size = lambda layer: functions._unzipped_size(resolve(layer))
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    matches = gateway._media_type_matches
    gateway._media_type_matches = lambda media_type, binary: matches(
        media_type, [one.replace("~1", "/") for one in binary or ()]
    )
    formation = "ministack.services.cloudformation"
    transform_nested(*map(importlib.import_module, (formation, f"{formation}.engine", f"{formation}.provisioners")))
    serve_versions_as_s3(importlib.import_module("ministack.services.s3"))
    ministack: Any = importlib.import_module("ministack.app")
    ministack.app = guarded(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
