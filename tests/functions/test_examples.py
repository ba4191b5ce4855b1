"""The programs in `examples`, run as they are against the product."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.functions.conftest import Api, ingest_all
from tests.functions.served import key_of
from tests.functions.test_modulo_command import ingestion
from tests.functions.test_python_client import SEA, url

__all__ = ["url"]

QUESTION = "How deep is the sea?"
OWN_ENVIRONMENT = ROOT / ".venv" / "examples" / "bin" / "python"
"""Of the frameworks, which must not meet the product's dependencies."""


@pytest.fixture(scope="session")
def frameworks() -> Path:
    subprocess.run(["make", "--silent", ".venv/examples/.installed"], cwd=ROOT, check=True, timeout=600)
    return OWN_ENVIRONMENT


@pytest.fixture
def papers(api: Api) -> str:
    collection = api.create_collection("papers")
    api.upload(collection, SEA, "sea.txt")
    ingest_all(api, collection)
    return collection


def run(name: str, *arguments: str, api: Api, url: str, python: Path = Path(sys.executable), typed: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "clients" / "python")}
    environment |= {"MODULO_URL": url, "MODULO_API_KEY": key_of(api)}
    command = [str(python), str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(
        command, env=environment, input=typed, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["langchain_retriever.py", "llama_index_retriever.py"])
def test_a_retriever_of_a_framework_finds_passages(
    name: str, api: Api, url: str, papers: str, frameworks: Path
) -> None:
    assert run(name, "papers", QUESTION, api=api, url=url, python=frameworks) == f"sea.txt, page 1: {SEA}\n"


def test_openai_s_sdk_streams_an_answer_with_its_sources(api: Api, url: str, papers: str) -> None:
    told = run("openai_sdk.py", "papers", QUESTION, api=api, url=url)
    assert "11 kilometres" in told
    assert "- sea.txt" in told


def test_a_client_of_the_model_context_protocol_asks(api: Api, url: str, papers: str) -> None:
    told = run("mcp_client.py", "papers", QUESTION, api=api, url=url)
    assert "rag_search" in told.splitlines()[0]
    assert "11 kilometres" in told


def test_a_chat_bot_answers_line_by_line(api: Api, url: str, papers: str) -> None:
    told = run("chat_bot.py", "papers", api=api, url=url, typed=f"{QUESTION}\nHow deep is it in miles?\n")
    assert told.count("- sea.txt") >= 1
    assert "11 kilometres" in told


def test_a_nightly_job_keeps_a_collection_like_a_folder(api: Api, url: str, tmp_path: Path) -> None:
    (tmp_path / "sea.txt").write_text(SEA)
    (tmp_path / "x.tmp").write_text("not this")
    with ingestion(api):
        assert run("nightly_sync.py", str(tmp_path), "nightly", api=api, url=url) == (
            "1 sent, 0 unchanged, 0 deleted, 0 failed\n"
        )
        (tmp_path / "land.txt").write_text("The highest mountain is 8,849 metres high.")
        (tmp_path / "sea.txt").unlink()
        again = run("nightly_sync.py", str(tmp_path), "nightly", api=api, url=url)
    assert again == "1 sent, 0 unchanged, 1 deleted, 0 failed\n"


def test_every_example_is_run() -> None:
    here = Path(__file__).read_text()
    assert [path.name for path in (ROOT / "examples").glob("*.py") if path.name not in here] == []
