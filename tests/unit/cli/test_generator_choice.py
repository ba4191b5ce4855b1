"""Which generator answers, and what is told of it at the start."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from modulo.cli.generator_choice import HOW_TO_CHANGE, choose_generator, use_generator
from modulo.settings import Settings
from tests.contracts.provider import Answer, Provider

NOBODY: dict[str, int] = {}


@pytest.mark.parametrize(
    ("environment", "settings", "told"),
    [
        ({}, {}, HOW_TO_CHANGE),
        ({"OPENAI_API_KEY": ""}, {}, HOW_TO_CHANGE),
        ({"GENERATOR": "extractive", "OPENAI_API_KEY": "k"}, {}, "as GENERATOR says"),
        ({"GENERATOR": "bedrock", "GENERATOR_MODEL": "nova"}, {}, "nova"),
        (
            {"OPENAI_API_KEY": "k"},
            {
                "GENERATOR": "openai",
                "GENERATOR_URL": "https://api.openai.com/v1",
                "GENERATOR_MODEL": "gpt-5.4-mini",
                "GENERATOR_API_KEY": "k",
            },
            "gpt-5.4-mini at api.openai.com",
        ),
        (
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://proxy/v1", "GENERATOR_MODEL": "m"},
            {
                "GENERATOR": "openai",
                "GENERATOR_URL": "http://proxy/v1",
                "GENERATOR_MODEL": "m",
                "GENERATOR_API_KEY": "k",
            },
            "m at proxy",
        ),
        (
            {"GENERATOR_URL": "http://here/v1", "GENERATOR_MODEL": "m", "OPENAI_API_KEY": "k"},
            {"GENERATOR": "openai", "GENERATOR_URL": "http://here/v1", "GENERATOR_MODEL": "m"},
            "m at here",
        ),
        (
            {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "http://proxy/"},
            {
                "GENERATOR": "anthropic",
                "GENERATOR_URL": "http://proxy/v1",
                "GENERATOR_MODEL": "claude-sonnet-5-5",
                "GENERATOR_API_KEY": "k",
            },
            "claude-sonnet-5-5 of Anthropic",
        ),
        (
            {"ANTHROPIC_API_KEY": "k", "GENERATOR_MODEL": "claude"},
            {"GENERATOR": "anthropic", "GENERATOR_MODEL": "claude", "GENERATOR_API_KEY": "k"},
            "claude of Anthropic",
        ),
    ],
)
def test_what_is_set_decides(
    environment: dict[str, str], settings: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choice = choose_generator(environment, servers=NOBODY)
    assert choice.settings == settings
    assert told in choice.told
    for name, value in {**environment, **settings}.items():
        monkeypatch.setenv(name, value)
    assert Settings().generator == {**environment, **settings}.get("GENERATOR", "extractive")
    assert "k" not in choice.told.split()


@contextmanager
def server(body: Any, **more: Any) -> Iterator[int]:
    with Provider(Answer(body, **more)) as provider:
        yield int(provider.url.rpartition(":")[2])


def models(*names: str) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


def test_auto_finds_a_model_server_on_this_machine() -> None:
    with server(models("nomic-embed-text", "llama3.2")) as ollama, server(models("qwen")) as vllm:
        choice = choose_generator({"OPENAI_API_KEY": "k"}, "auto", {"Ollama": ollama, "vLLM": vllm})
    assert choice.settings == {
        "GENERATOR": "openai",
        "GENERATOR_URL": f"http://127.0.0.1:{ollama}/v1",
        "GENERATOR_MODEL": "llama3.2",
    }
    assert "llama3.2 of Ollama" in choice.told


@pytest.mark.parametrize(
    "body", [b"", b"<html>", {}, [], {"data": [7]}, {"data": [{"id": 7}]}, models("bge-small"), b"[" * 100_000]
)
def test_auto_passes_over_what_is_no_model_server(body: Any) -> None:
    with server(body) as port:
        choice = choose_generator({}, "auto", {"vLLM": port})
    assert choice.settings == {}
    assert "No model server answers on this machine." in choice.told


def test_auto_passes_over_what_refuses_hangs_or_is_not_there() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ports = {"nobody": unused.getsockname()[1]}
        with server(models("m"), status=404) as other, server(models("m"), pause=2) as slow:
            assert choose_generator({}, "auto", ports | {"other": other, "slow": slow}).settings == {}
        with server(json.dumps(models("m")).encode(), drip=0.2) as dripping:
            assert choose_generator({}, "auto", {"dripping": dripping}).settings == {}


def test_a_process_uses_what_was_chosen() -> None:
    environment = {"OPENAI_API_KEY": "k"}
    assert "gpt" in use_generator(environment, None)
    assert environment["GENERATOR"] == "openai"
