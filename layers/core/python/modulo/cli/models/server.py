"""An HTTP server for the local models: OpenAI's /v1/embeddings, Cohere's /v1/rerank and /v2/rerank."""

import asyncio
import base64
import hmac
import json
import os
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tokenizers import Encoding

from modulo.cli.models.fair_queue import Lane, QueueFull, ShuttingDown, Workers
from modulo.cli.models.inference import MAX_TOKENS, Floats, Model, Text, load_embedder, load_reranker
from modulo.cli.models.requests import EmbeddingsBody, Refused, RerankBody, read


class ClientDisconnected(Exception):
    """The client disconnected, so the request is abandoned."""


class ModelServer:
    """The routes over one embedder and one reranker."""

    def __init__(self, embedder: Model, reranker: Model, *, api_key: str | None) -> None:
        self._embedder = embedder
        self._reranker = reranker
        self._api_key = api_key
        self._workers = Workers({embedder.name: embedder, reranker.name: reranker}, threads=_cores())

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/health", self.health),
            Route("/v1/models", self.models),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
            Route("/v1/rerank", self.rerank, methods=["POST"]),
            Route("/v2/rerank", self.rerank, methods=["POST"]),
        ]
        return Starlette(
            routes=routes,
            exception_handlers={Refused: _refused, HTTPException: _no_route, ClientDisconnected: _client_disconnected},
        )

    def stop(self) -> None:
        """Stop the workers; waiting requests are answered with 503."""
        self._workers.stop()

    async def health(self, _: Request) -> Response:
        """GET /health: 200 while all workers are alive, else 503. Models are loaded before the port opens."""
        if not self._workers.alive:
            return JSONResponse({"status": "failed"}, 503)
        return JSONResponse({"status": "ok", "models": [self._embedder.name, self._reranker.name]})

    async def models(self, request: Request) -> Response:
        """GET /v1/models: the names of both models."""
        self._authenticate(request)
        models = [
            {"id": model.name, "object": "model", "owned_by": "local"} for model in (self._embedder, self._reranker)
        ]
        return JSONResponse({"object": "list", "data": models})

    async def embeddings(self, request: Request) -> Response:
        """POST /v1/embeddings: vectors of length 1, in input order."""
        self._authenticate(request)
        body = await read(request, EmbeddingsBody)
        _check_model(body.model, self._embedder)
        encodings, rows = await self._run(request, self._embedder, body.input)
        if body.dimensions not in (None, len(rows[0])):
            raise Refused(400, f"dimensions: the model has {len(rows[0])}.", param="dimensions", code="invalid_value")
        tokens = sum(map(len, encodings))
        answer = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": _encoded(row, body.encoding_format)}
                for index, row in enumerate(rows)
            ],
            "model": body.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        # Serialising thousands of vectors would block the event loop.
        content = await asyncio.to_thread(json.dumps, answer)
        return Response(content, media_type="application/json")

    async def rerank(self, request: Request) -> Response:
        """POST /v1/rerank and /v2/rerank: the documents by relevance, most relevant first."""
        self._authenticate(request)
        body = await read(request, RerankBody)
        _check_model(body.model, self._reranker)
        pairs = [(body.query, text) for text in body.documents]
        _, rows = await self._run(request, self._reranker, pairs, Lane.query)
        results: list[dict[str, Any]] = [
            {"index": index, "relevance_score": score.item()} for index, score in enumerate(rows)
        ]
        results.sort(key=lambda result: -result["relevance_score"])
        if body.return_documents:
            for result in results:
                result["document"] = {"text": body.documents[result["index"]]}
        version = request.url.path.split("/")[1].removeprefix("v")
        meta = {"api_version": {"version": version}}
        return JSONResponse({"id": str(uuid4()), "results": results[: body.top_n], "meta": meta})

    async def _run(
        self, request: Request, model: Model, texts: Sequence[Text], lane: Lane | None = None
    ) -> tuple[list[Encoding], list[Floats]]:
        encodings = await asyncio.to_thread(model.encode, texts)
        if lane is None:
            lane = Lane.query if sum(map(len, encodings)) <= MAX_TOKENS else Lane.bulk
        try:
            result = asyncio.wrap_future(self._workers.submit(lane, model.name, encodings))
            return encodings, await _result_unless_disconnected(request, result)
        except QueueFull as full:
            raise Refused(429, str(full), code="rate_limit_exceeded", retry_after=full.retry_after) from None
        except ShuttingDown:
            raise Refused(503, "The server is shutting down.", code="unavailable", retry_after=1) from None

    def _authenticate(self, request: Request) -> None:
        if self._api_key is None:
            return
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), self._api_key.encode()):
            raise Refused(401, "The API key is missing or wrong.", code="invalid_api_key")


def _check_model(name: str, model: Model) -> None:
    if name != model.name:
        message = f"There is no model {name!r} here; this route serves {model.name!r}."
        raise Refused(404, message, param="model", code="model_not_found")


def _encoded(row: Floats, encoding_format: str) -> list[float] | str:
    if encoding_format == "base64":
        return base64.b64encode(row.astype("<f4").tobytes()).decode()
    values: list[float] = row.astype(np.float64).tolist()
    return values


async def _result_unless_disconnected(request: Request, result: "asyncio.Future[list[Floats]]") -> list[Floats]:
    """Wait for the result; cancel it if the client disconnects first."""
    # The body has been read, so the next message received is the disconnect.
    disconnect: asyncio.Future[Any] = asyncio.ensure_future(request.receive())
    try:
        either: set[asyncio.Future[Any]] = {result, disconnect}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            raise ClientDisconnected
        return result.result()
    finally:
        disconnect.cancel()
        result.cancel()


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def _refused(_: Request, error: Any) -> Response:
    response: Response = error.response()
    return response


def _no_route(request: Request, error: Any) -> Response:
    message = f"{request.method} {request.url.path}: {error.detail}."
    return Refused(error.status_code, message, code="unknown_url").response()


def _client_disconnected(_: Request, __: Exception) -> Response:
    return Response(status_code=499)


def serve(host: str, port: int) -> None:
    """Serve both models until a stop signal. If MODEL_SERVER_API_KEY is set, clients must send it.

    Raises:
        WrongWeights: a model file is missing or not the pinned one.
    """
    server = ModelServer(load_embedder(), load_reranker(), api_key=os.environ.get("MODEL_SERVER_API_KEY"))
    try:
        uvicorn.run(
            server.app(),
            host=host,
            port=port,
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=75,  # longer than clients keep idle connections, so none is closed under a request
            timeout_graceful_shutdown=3,
        )
    finally:
        server.stop()
