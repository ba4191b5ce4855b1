"""The commands that the documentation tells, run in order as a newcomer would, in a fresh copy of the repository.

The copy holds what git would: no `.venv`, no `.modulo`. So `make up` sets itself up there as on any machine, from the
package caches where they are filled. It runs in the background and prefers a free port; that port, in place of the
documented 8000, is all that is changed in a command or in an output that is compared. Every other block runs in bash
with `set -aeuo pipefail`, one after the other, and keeps the variables and functions of those before it.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modulo.cli.stack.process import free_port
from modulo.settings import Settings
from tests.architecture.documentation import Block, as_pattern, blocks, run_in_order
from tests.architecture.sources import ROOT

DOCUMENTED = "127.0.0.1:8000"
START_SECONDS = 300  # package caches may be empty
BLOCK_SECONDS = 240
OWN = {name.upper() for name in Settings.model_fields}


def environment(port: int) -> dict[str, str]:
    """A newcomer's: nothing that sets Modulo, Python, make or AWS up, but the port."""
    foreign = ("AWS_", "COV_", "MAKE", "MODULO_", "PYTEST", "PYTHON", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign) and name not in OWN}
    return {**kept, "MODULO_PORT": str(port), "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


class Newcomer:
    """A directory, a shell whose variables last, and what was started in the background."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self._state = directory.parent / "shell-state"
        self._state.touch()
        self._started: list[tuple[Block, subprocess.Popen[bytes], Path]] = []

    def run(self, block: Block) -> str:
        """Run a block to its end; what it printed."""
        script = "\n".join(
            (
                f'. "{self._state}"',
                "set -aeuo pipefail",
                self._here(block.text),
                f'{{ export -p; declare -f; }} > "{self._state}"',
            )
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env=environment(self.port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BLOCK_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{block} ended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def start(self, block: Block) -> str:
        """Start a block, and wait until what it printed ends as shown."""
        log = self.directory.parent / f"background-{len(self._started)}.log"
        with log.open("wb") as output:
            command = ["bash", "-c", f"exec {self._here(block.text)}"]
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=environment(self.port),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that an interrupt reaches all of it, as from a terminal
            )
        self._started.append((block, process, log))
        last = (block.output or "").rstrip().rpartition("\n")[2]
        give_up = time.monotonic() + START_SECONDS
        while last not in log.read_text():
            assert process.poll() is None, f"{block} ended with {process.returncode}:\n{log.read_text()}"
            assert time.monotonic() < give_up, f"{block} is not ready:\n{log.read_text()}"
            time.sleep(0.1)
        return log.read_text()

    def write(self, block: Block) -> None:
        """Write a file, or insert lines into one."""
        path = self.directory / block.tags["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        where = block.tags.get("before") or block.tags.get("after")
        if where is None:
            path.write_text(block.text)
            return
        lines = path.read_text().splitlines(keepends=True)
        [place] = [number for number, line in enumerate(lines) if line.strip() == where]
        lines.insert(place if "before" in block.tags else place + 1, block.text)
        path.write_text("".join(lines))

    def compare(self, block: Block, printed: str) -> None:
        """Hold what was printed to what is shown."""
        if block.output is not None:
            shown = self._here(block.output)
            assert as_pattern(shown).fullmatch(f"{printed.rstrip()}\n"), (
                f"{block} printed\n{printed}\nwhere this is shown:\n{shown}"
            )

    def leave(self) -> None:
        """Interrupt what runs, as Ctrl-C does, and wait for it."""
        while self._started:
            block, process, log = self._started.pop()
            os.killpg(process.pid, signal.SIGINT)
            process.wait(60)
            assert log.read_text().endswith("Stopped.\n"), (
                f"{block} ended with {process.returncode}:\n{log.read_text()}"
            )

    def _here(self, text: str) -> str:
        return text.replace(DOCUMENTED, f"127.0.0.1:{self.port}")


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    """Someone with a fresh copy of the repository, which is removed afterwards."""
    copy = tmp_path_factory.mktemp("newcomer") / "modulo"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():  # one that was just deleted is listed still
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    someone = Newcomer(copy)
    try:
        yield someone
    finally:
        try:
            someone.leave()
        finally:
            shutil.rmtree(copy.parent)


@pytest.mark.parametrize("page", run_in_order(), ids=lambda page: str(page.relative_to(ROOT)))
def test_its_commands_do_what_it_says(newcomer: Newcomer, page: Path) -> None:
    for block in blocks(page):
        if "file" in block.tags:
            newcomer.write(block)
        elif "run" in block.tags:
            act = newcomer.start if block.tags["run"] == "background" else newcomer.run
            newcomer.compare(block, act(block))
