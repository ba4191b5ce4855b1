"""Streams of model providers in the shapes that their SDKs' types give (openai 3.57, anthropic 2.14, Converse)."""

import binascii
import json
import struct
import time
from collections.abc import Iterable, Iterator
from typing import Any

from tests.contracts.provider import Asked

GOOD = "The Rhine is 1,233 km long [1]."


def sse(value: Any, name: str = "") -> bytes:
    event = f"event: {name}\n" if name else ""
    return f"{event}data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode()


def openai_chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return sse(openai_frame([choice], **more))


def openai_frame(choices: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": None,
        **more,
    }


def openai_usage(prompt: Any = 200, completion: Any = 10) -> bytes:
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 210}
    return sse(openai_frame([], usage=usage))


def openai_stream(*texts: str, reason: str | None = "stop", usage: bool = True) -> list[bytes]:
    parts = [openai_chunk({"role": "assistant", "content": "", "refusal": None})]
    parts += [openai_chunk({"content": text}) for text in texts]
    parts += [openai_chunk({}, reason)] if reason else []
    return [*parts, *([openai_usage()] if usage else []), sse("[DONE]")]


def refuse_other_chats(asked: Asked) -> None:
    """A strict server: what the SDK would not send is an error of the test."""
    known = {"model", "messages", "temperature", "max_tokens", "max_completion_tokens", "stream", "stream_options"}
    assert asked.body.keys() <= known, asked.body.keys() - known
    assert asked.body["stream"] is True
    assert asked.path == "/v1/chat/completions"


def anthropic_start(input_tokens: Any = 190, **more: Any) -> bytes:
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude",
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": input_tokens, "output_tokens": 1, **more},
    }
    return sse({"type": "message_start", "message": message}, "message_start")


def anthropic_delta(text: str, index: int = 0) -> bytes:
    delta = {"type": "text_delta", "text": text}
    return sse({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")


def anthropic_end(reason: str = "end_turn", output_tokens: Any = 10) -> list[bytes]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        sse({"type": "content_block_stop", "index": 0}, "content_block_stop"),
        sse({"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}, "message_delta"),
        sse({"type": "message_stop"}, "message_stop"),
    ]


def anthropic_stream(*texts: str, reason: str = "end_turn") -> list[bytes]:
    block = {"type": "text", "text": "", "citations": None}
    begun = sse({"type": "content_block_start", "index": 0, "content_block": block}, "content_block_start")
    ping = sse({"type": "ping"}, "ping")
    return [anthropic_start(), begun, ping, *map(anthropic_delta, texts), *anthropic_end(reason)]


def bedrock_event(name: str, value: Any, *, kind: str = "event") -> bytes:
    """A frame of AWS's event stream encoding: prelude, headers, payload, each part with its checksum."""
    type_header = ":exception-type" if kind == "exception" else ":event-type"
    named = {type_header: name, ":content-type": "application/json", ":message-type": kind}
    headers = b"".join(
        struct.pack(">B", len(key)) + key.encode() + struct.pack(">BH", 7, len(text)) + text.encode()
        for key, text in named.items()
    )
    payload = json.dumps(value).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", binascii.crc32(message))


def bedrock_delta(text: str) -> bytes:
    return bedrock_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


def bedrock_end(reason: str = "end_turn") -> list[bytes]:
    usage = {"inputTokens": 200, "outputTokens": 10, "totalTokens": 210}
    return [
        bedrock_event("contentBlockStop", {"contentBlockIndex": 0}),
        bedrock_event("messageStop", {"stopReason": reason}),
        bedrock_event("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
    ]


def bedrock_stream(*texts: str, reason: str = "end_turn") -> list[bytes]:
    start = bedrock_event("messageStart", {"role": "assistant"})
    return [start, *map(bedrock_delta, texts), *bedrock_end(reason)]


def then_nothing(parts: Iterable[bytes], seconds: float = 10) -> Iterator[bytes]:
    """A stream that falls silent and stays open."""
    yield from parts
    time.sleep(seconds)


def endless(part: bytes, times: int = 200_000) -> Iterator[bytes]:
    for _ in range(times):
        yield part
