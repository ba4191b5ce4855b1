"""`modulo up` for browsers: started once a run, or one that runs already."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modulo.cli.running_stack import running_address
from modulo.cli.stack.process import free_port
from modulo.domain.errors import Unavailable
from tests.servers import Environment

RUNNING = "MODULO_BROWSER_DATA"
"""The data directory of a `make up` to test, instead of starting one: tests then begin at once."""
START_SECONDS = 240
SETTINGS = {
    "QUOTAS": '{"collections": 1000, "files": 1000}',
    "API_KEY_CACHE_SECONDS": "0",  # a key that is revoked ends at once
}
POLL_SECONDS = 0.1


@contextmanager
def started_stack() -> Iterator[Environment]:
    """The origin, the demo's key and the data directory of a running stack."""
    running = os.environ.get(RUNNING)
    if running:
        yield _described(Path(running))
        return
    folder = Path(tempfile.mkdtemp(prefix="modulo-browser-"))
    data, log = folder / "data", folder / "up.txt"
    command = [sys.executable, "-m", "modulo.cli.main", "up", "--data", str(data), "--port", str(free_port())]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **SETTINGS}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        give_up = time.monotonic() + START_SECONDS
        while "Ctrl-C stops everything" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, log.read_text()
            time.sleep(POLL_SECONDS)
        yield _described(data)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(folder)


def _described(data: Path) -> Environment:
    try:
        url, key = running_address(data)
    except Unavailable as error:
        raise LookupError(error.detail) from None
    return {"origin": url.removesuffix("/api"), "url": url, "key": key, "data": str(data)}


def operate(data: str, *command: str) -> str:
    """What an operator's command prints."""
    arguments = [sys.executable, "-m", "modulo.cli.main", *command, "--data", data]
    done = subprocess.run(
        arguments, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False, timeout=START_SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
