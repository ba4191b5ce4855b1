"""The restore drill: what one embedded stack held, another one answers after a restore."""

import re
import signal
import time
from pathlib import Path

import httpx

from modulo.cli.stack.process import free_port
from tests.e2e.test_up import PATIENCE_SECONDS, Up, modulo

QUESTIONS = (
    "How long does a full battery run the Aerie 3 without sun?",
    "What does the Aerie 3 weather station cost?",
)


def state(up: Up, key: str) -> dict[str, tuple[str, int]]:
    headers = {"authorization": f"Bearer {key}"}
    [demo] = httpx.get(f"{up.url}/collections", headers=headers, timeout=60).json()["items"]
    files = httpx.get(f"{up.url}/collections/{demo['id']}/files", headers=headers, timeout=60).json()["items"]
    return {file["name"]: (file["stage"], file.get("chunk_count", 0)) for file in files}


def answers(up: Up, key: str) -> list[str]:
    """Without the numbers of the passages: BM25 also counts what is deleted until segments are merged."""
    headers = {"authorization": f"Bearer {key}"}
    [demo] = httpx.get(f"{up.url}/collections", headers=headers, timeout=60).json()["items"]
    asked = [{"question": question, "collection_id": demo["id"]} for question in QUESTIONS]
    said = [httpx.post(f"{up.url}/search", headers=headers, json=body, timeout=60).json()["answer"] for body in asked]
    return [re.sub(r"\[\d+\]", "[…]", answer) for answer in said]


def test_another_stack_answers_as_the_one_that_was_backed_up(tmp_path: Path) -> None:
    archive = tmp_path / "backup.zip"
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = Up(tmp_path / "one" / "data", free_port())
    try:
        one.until_ready()
        key = one.key
        before, said = state(one, key), answers(one, key)
        done = modulo(tmp_path / "one" / "data", "data", "backup", str(archive))
        assert (done.returncode, done.stderr) == (0, "")
    finally:
        one.stop(signal.SIGINT)
    other = Up(tmp_path / "other" / "data", free_port())
    try:
        other.until_ready()
        done = modulo(tmp_path / "other" / "data", "data", "restore", str(archive), "--replace")
        assert done.returncode == 0, done.stderr
        assert re.search(rf"{len(before)} files are being embedded anew", done.stdout)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while state(other, key) != before:
            assert time.monotonic() < give_up, (state(other, key), before)
            time.sleep(0.2)
        assert answers(other, key) == said
        assert {stage for stage, _ in before.values()} == {"ready"}
    finally:
        other.stop(signal.SIGINT)
