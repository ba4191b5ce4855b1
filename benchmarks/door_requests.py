"""What `doors` asks for: the same answer or passages, by each front door."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.search_clients import search_body

PASSAGES: Final = {"retrieve_only": True}
NAME: Final = "doors"
"""Of the collection, which a model has too."""
MODERN: Final = "2026-07-28"
"""The protocol without handshakes; without it, a message is of the versions before."""
NO_META: Final[Mapping[str, Any]] = {}
MODERN_META: Final[Mapping[str, Any]] = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}
Ask = Callable[[str], tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint: its path and body for a question; and the use case that it is compared with."""

    name: str
    use_case: str
    ask: Ask


USE_CASES: Final[Mapping[str, Mapping[str, Any]]] = {"answer": {}, "passages": PASSAGES}


def doors(collection: str) -> list[Door]:
    """Those that are measured, the first of which the others are compared with."""

    def search_by_api(config: Mapping[str, Any]) -> Ask:
        return lambda question: ("/api/search", search_body(collection, question, **config))

    def call_tool(name: str, argument: str, meta: Mapping[str, Any] = NO_META) -> Ask:
        def ask(question: str) -> tuple[str, Mapping[str, Any]]:
            params = {"name": name, "arguments": {argument: question, "collection": collection}, **meta}
            return "/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}

        return ask

    def complete(model: str) -> Ask:
        def ask(question: str) -> tuple[str, Mapping[str, Any]]:
            messages = [{"role": "user", "content": question}]
            return "/v1/chat/completions", {"model": model, "messages": messages}

        return ask

    def respond(question: str) -> tuple[str, Mapping[str, Any]]:
        return "/v1/responses", {"model": collection, "input": question, "store": False}

    def search_store(question: str) -> tuple[str, Mapping[str, Any]]:
        return f"/v1/vector_stores/{collection}/search", {"query": question}

    return [
        Door("/api/search", "answer", search_by_api({})),
        Door("/v1/chat/completions", "answer", complete(collection)),
        Door("/v1/chat/completions, by name", "answer", complete(f"modulo/{NAME}")),
        Door("/v1/responses", "answer", respond),
        Door("/mcp, rag_search", "answer", call_tool("rag_search", "question")),
        Door(f"/mcp {MODERN}, rag_search", "answer", call_tool("rag_search", "question", MODERN_META)),
        Door("/api/search, passages", "passages", search_by_api(PASSAGES)),
        Door("/v1/vector_stores/{id}/search", "passages", search_store),
        Door("/mcp, search", "passages", call_tool("search", "query")),
    ]


def modern_headers(body: Mapping[str, Any]) -> Mapping[str, str]:
    """What a message of the protocol without handshakes says in its headers, too."""
    params = body.get("params", {})
    if "_meta" not in params:
        return {}
    return {"mcp-protocol-version": MODERN, "mcp-method": body["method"], "mcp-name": params["name"]}
