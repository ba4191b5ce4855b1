"""Pings to Milvus: gRPC servers hang up on clients that ping more often than they allow."""

from typing import Any

import grpc
import pytest
from pymilvus.client import grpc_handler

from modulo.adapters.milvus.connection import MilvusConnection
from modulo.domain.errors import Unavailable

SERVER_MINIMUM_MS = 300_000
"""gRPC's default of `grpc.http2.min_recv_ping_interval_without_data_ms`."""


def test_pings_are_rarer_than_a_server_allows_and_end_with_the_last_call(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[dict[str, Any]] = []

    def channel(target: str, options: list[tuple[str, Any]]) -> grpc.Channel:
        opened.append(dict(options))
        raise grpc.RpcError

    monkeypatch.setattr(grpc_handler.grpc, "insecure_channel", channel)
    with pytest.raises(Unavailable):
        MilvusConnection("http://127.0.0.1:1", token=None, timeout=1).call("list_collections")
    assert opened
    for options in opened:
        assert options["grpc.keepalive_time_ms"] > SERVER_MINIMUM_MS
        assert not options["grpc.keepalive_permit_without_calls"]
