"""Which generator answers on this machine: as the settings say, else as keys in the environment or local servers allow.

`modulo up` and `modulo serve` say it at their start. Elsewhere GENERATOR alone decides: no function sends documents to
a provider because a key happens to be there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from modulo.cli.stack.process import HOST

AUTO: Final = "auto"
OPENAI_URL: Final = "https://api.openai.com/v1"
OPENAI_MODEL: Final = "gpt-5.4-mini"
ANTHROPIC_MODEL: Final = "claude-sonnet-5-5"
PROBE_SECONDS: Final = 0.5
MAX_LIST_BYTES: Final = 256 * 1024
LOCAL_SERVERS: Final = {
    "Ollama": 11434,
    "vLLM": 8000,
    "LM Studio": 1234,
    "llama.cpp": 8080,
}
"""Model servers by the ports that they listen on unless told otherwise; the first that answers is taken."""
_NO_CHAT = ("embed", "rerank", "whisper", "bge-", "minilm")
"""In names of models that write no answers."""
HOW_TO_CHANGE: Final = (
    "set OPENAI_API_KEY, ANTHROPIC_API_KEY, or GENERATOR_URL and GENERATOR_MODEL; "
    "MODULO_GENERATOR=auto looks for a model server on this machine"
)


@dataclass(frozen=True)
class GeneratorChoice:
    """Settings that choose the generator, and what to tell whoever starts it."""

    told: str
    settings: Mapping[str, str] = field(default_factory=dict)


def use_generator(environment: MutableMapping[str, str], wanted: str | None) -> str:
    """Choose the generator of the processes with this environment; what there is to tell of it."""
    choice = choose_generator(environment, wanted)
    environment.update(choice.settings)
    return choice.told


def choose_generator(
    environment: Mapping[str, str], wanted: str | None = None, servers: Mapping[str, int] = LOCAL_SERVERS
) -> GeneratorChoice:
    """The generator for this environment.

    GENERATOR wins, then GENERATOR_URL with GENERATOR_MODEL, then OPENAI_API_KEY, then ANTHROPIC_API_KEY; where
    `auto` is wanted, a model server on this machine comes before the keys of others.
    """
    given = {name: value for name, value in environment.items() if value}
    if "GENERATOR" in given:
        return GeneratorChoice(_as_set(given))
    if given.get("GENERATOR_URL") and given.get("GENERATOR_MODEL"):
        return _openai(given["GENERATOR_URL"], given["GENERATOR_MODEL"], given.get("GENERATOR_API_KEY"))
    if wanted == AUTO and (found := _local(servers)):
        return found
    model = given.get("GENERATOR_MODEL")
    if key := given.get("OPENAI_API_KEY"):
        return _openai(given.get("OPENAI_BASE_URL", OPENAI_URL), model or OPENAI_MODEL, key)
    if key := given.get("ANTHROPIC_API_KEY"):
        settings = {"GENERATOR": "anthropic", "GENERATOR_API_KEY": key, "GENERATOR_MODEL": model or ANTHROPIC_MODEL}
        if url := given.get("ANTHROPIC_BASE_URL"):
            settings["GENERATOR_URL"] = f"{url.rstrip('/').removesuffix('/v1')}/v1"
        return GeneratorChoice(f"{settings['GENERATOR_MODEL']} of Anthropic writes them.", settings)
    nowhere = " No model server answers on this machine." if wanted == AUTO else ""
    told = f"are extracts from the documents, as no language model is set.{nowhere} To change: {HOW_TO_CHANGE}."
    return GeneratorChoice(told)


def _as_set(given: Mapping[str, str]) -> str:
    kind, model = given["GENERATOR"], given.get("GENERATOR_MODEL", "")
    if kind == "extractive":
        return "are extracts from the documents, as GENERATOR says."
    return f"{model} writes them, as GENERATOR={kind} says."


def _openai(url: str, model: str, key: str | None) -> GeneratorChoice:
    settings = {"GENERATOR": "openai", "GENERATOR_URL": url, "GENERATOR_MODEL": model}
    host = urlsplit(url).hostname or url
    return GeneratorChoice(f"{model} at {host} writes them.", settings | ({"GENERATOR_API_KEY": key} if key else {}))


def _local(servers: Mapping[str, int]) -> GeneratorChoice | None:
    """The first model server that answers, with the first of its models that writes; all are asked side by side."""
    with ThreadPoolExecutor(len(servers)) as pool:
        found = list(pool.map(_models, servers.values()))
    for (name, port), models in zip(servers.items(), found, strict=True):
        for model in models:
            choice = _openai(f"http://{HOST}:{port}/v1", model, None)
            return GeneratorChoice(f"{model} of {name} on this machine writes them.", choice.settings)
    return None


def _models(port: int) -> list[str]:
    """The models of an OpenAI-compatible server that may write answers; none where no such server answers."""
    try:
        listed = json.loads(_listed(port))["data"]
        names = [one["id"] for one in listed if isinstance(one["id"], str)]
    except (OSError, HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return []
    return [name for name in names if not any(part in name.lower() for part in _NO_CHAT)]


def _listed(port: int) -> bytes:
    """The answer to GET /v1/models, as far as it came in time."""
    until, content = monotonic() + PROBE_SECONDS, b""
    with closing(HTTPConnection(HOST, port, timeout=PROBE_SECONDS)) as connection:
        connection.request("GET", "/v1/models", headers={"Connection": "close"})
        response = connection.getresponse()
        while response.status == HTTPStatus.OK and len(content) < MAX_LIST_BYTES and monotonic() < until:
            part = response.read1(MAX_LIST_BYTES)
            if not part:
                break
            content += part
    return content
