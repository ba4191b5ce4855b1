"""The process of MiniStack with functions, `python -m modulo.cli.stack.ministack_server`.

By itself MiniStack runs functions in its own virtual environment and unpacks every layer for every
process. Here they get a bare Python, so that what is missing in a layer is missed, and each layer is
unpacked once. It also takes the escape of the slash in a template's binary media types literally, and
would hand uploads to functions as broken text.
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

Resolve = Callable[[Any], bytes | None]


class Layers:
    """Layers unpacked under one directory, each known by its content."""

    def __init__(self, home: Path, resolve: Resolve) -> None:
        self._home = home
        self._resolve = resolve
        self._lock = threading.Lock()

    def pointer(self, layer: Any) -> bytes | None:
        """A small archive in place of the layer: it puts the unpacked layer in front of the module path."""
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


def bare_python(home: Path) -> Path:
    """A program below `home`: the Python that our virtual environment was made from, knowing no packages at all."""
    program = home / "python"
    interpreter = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    program.write_text(f'#!/bin/sh\nexec {interpreter} -I -S "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    return program


def main() -> None:
    """Serve until told to stop."""
    home = Path(os.environ.pop("MODULO_FUNCTIONS_HOME"))
    python = str(bare_python(home))
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    script = runtime._detect_runtime_binary("python3.11")[1]  # noqa: SLF001  # it offers no other way
    runtime._detect_runtime_binary = lambda _runtime: (python, script)  # noqa: SLF001
    resolve = functions._resolve_layer_zip  # noqa: SLF001
    functions._resolve_layer_zip = Layers(home, resolve).pointer  # noqa: SLF001
    # Lambda's limit of 250 MB goes on to count what the layers really hold.
    functions._layer_unzipped_size = lambda layer: functions._unzipped_size(resolve(layer))  # noqa: SLF001
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    matches = gateway._media_type_matches  # noqa: SLF001
    gateway._media_type_matches = lambda media_type, binary: matches(  # noqa: SLF001
        media_type, [one.replace("~1", "/") for one in binary or ()]
    )
    ministack: Any = importlib.import_module("ministack.app")
    ministack.app = guarded(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
