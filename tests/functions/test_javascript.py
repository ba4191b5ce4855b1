"""JavaScript clients, unmodified or generated from openapi.json, and what Redocly says of it.

Their programs stand in tests/javascript. Without Node.js and npm these tests are skipped, but not in CI.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from modulo.domain.errors import Throttled
from tests.architecture.sources import ROOT
from tests.functions.conftest import ingest_everything
from tests.functions.served import key_of, served

FOLDER = ROOT / "tests" / "javascript"
NODE = str(ROOT / ".ci" / "node")
DESCRIPTION = str(ROOT / "infra" / "openapi.json")
SECONDS = 300
NOT_ASKED_FOR = {"operation-2xx-response": "a file's content is answered by a redirect to the store"}
"""Rules of Redocly's that do not hold here, and why."""


def node(*command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of npm's in the folder."""
    return subprocess.run(
        [NODE, *command],
        cwd=FOLDER,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """The packages of the lock, installed unless they are already."""
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".lock"
    if installed.exists() and installed.read_bytes() == lock.read_bytes():
        return
    done = node("npm", "ci", "--no-progress", "--loglevel", "error")
    if done.returncode != 0:
        message = f"npm could not install {lock.relative_to(ROOT)}: {done.stderr.strip() or done.stdout.strip()}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    installed.write_bytes(lock.read_bytes())


@pytest.fixture
def address(services) -> Iterator[str]:
    with served() as url:
        yield url


def run_and_ingest(api, command: list[str], environment: Mapping[str, str], output: Path) -> None:
    """Run a program to its end, and ingest meanwhile what it uploads."""
    with output.open("w") as told:
        program = subprocess.Popen(
            [NODE, *command], cwd=FOLDER, env={**os.environ, **environment}, stdout=told, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + SECONDS
            while program.poll() is None and time.monotonic() < deadline:
                ingest_everything(api)
                time.sleep(0.1)
        finally:
            if program.poll() is None:
                program.kill()
            program.wait(SECONDS)
    assert program.returncode == 0, output.read_text()


def test_the_unmodified_client_of_openai(api, services, address, tmp_path, monkeypatch):
    calls, embed = [], services.embedder.embed

    def busy_at_first(model, texts, **options):
        if "busy at first" in texts and not calls:
            calls.append(texts)
            raise Throttled(retry_after=0)
        return embed(model, texts, **options)

    monkeypatch.setattr(services.embedder, "embed", busy_at_first)
    environment = {"MODULO_URL": f"{address}/v1", "MODULO_KEY": key_of(api)}
    run_and_ingest(api, ["node", "--test", "openai.test.mjs"], environment, tmp_path / "output")
    assert calls


def test_generated_types_compile_and_make_a_round_trip(api, address, tmp_path):
    options = ("--output", "schema.ts", "--default-non-nullable", "false")
    generated = node("npx", "openapi-typescript", DESCRIPTION, *options)
    assert generated.returncode == 0, generated.stderr
    compiled = node("npx", "tsc")
    assert compiled.returncode == 0, compiled.stdout
    environment = {"MODULO_URL": address, "MODULO_KEY": key_of(api)}
    program = ["node", "--experimental-strip-types", "round_trip.ts"]
    run_and_ingest(api, program, environment, tmp_path / "output")


def test_the_description_passes_redocly():
    done = node("node", "lint.mjs", DESCRIPTION, *NOT_ASKED_FOR)
    assert done.returncode == 0, done.stdout + done.stderr
