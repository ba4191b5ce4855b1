"""Requests with retries, pages as iterators, and problems as exceptions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from json import JSONDecodeError
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from uuid import uuid4

import httpx
from pydantic import ValidationError

from modulo_client.errors import ApiProblem, ConnectionFailed, InvalidResponse, UploadRefused, problem_of
from modulo_client.models import Model
from modulo_client.retries import backoff, pause_after, retry_after
from modulo_client.version import VERSION

M = TypeVar("M", bound=Model)
PAGE = 100
QUOTA_EXCEEDED = "quota-exceeded"


class AsyncTransport:
    """Sends requests under one credential."""

    def __init__(self, base_url: str, api_key: str, *, timeout: float, max_retries: int) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{base_url}/api",
            headers={"Authorization": f"Bearer {api_key}", "User-Agent": f"modulo-client/{VERSION}"},
            timeout=timeout,
            follow_redirects=False,
        )
        self._store = httpx.AsyncClient(timeout=timeout)
        self._max_retries = max_retries

    async def __aenter__(self) -> AsyncTransport:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()
        await self._store.aclose()

    async def get(self, model: type[M], path: str, **params: Any) -> M:
        """What is at a path."""
        return parsed(model, await self.request("GET", path, params=params))

    async def send(
        self, model: type[M], method: str, path: str, body: Mapping[str, Any] | None = None, **params: Any
    ) -> M:
        """What a request with a JSON body answers; members of the body that are None are left out."""
        return parsed(model, await self.request(method, path, json=_given(body or {}), params=params))

    async def pages(self, model: type[M], path: str, **params: Any) -> AsyncIterator[M]:
        """The items of all pages, each page asked for when the one before was read."""
        after: dict[str, Any] = {}
        while True:
            page = _document(await self.request("GET", path, params={"limit": PAGE, **params, **after}))
            for item in page.get("items", ()):
                yield model.model_validate(item)
            if not page.get("next"):
                return
            after = {"after": page["next"]}

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        upload: tuple[str, Path] | None = None,
        answers: Collection[int] = (),
    ) -> httpx.Response:
        """Send a request, again where that can help; `upload` is a file's name and path, `form` goes beside it.

        A status of `answers` is no refusal.

        Raises:
            ConnectionFailed: the server did not answer.
            ApiProblem: it refused.
        """
        headers = {"Idempotency-Key": uuid4().hex} if method == "POST" else {}
        attempt = 0
        while True:
            attempt += 1
            content: dict[str, Any] = {"json": json} if json is not None else {}
            if upload is not None:
                name, source = upload
                content = {"files": {"file": (name, source.read_bytes())}, "data": dict(form or {})}
            try:
                reply = await self._http.request(method, path, params=_given(params or {}), headers=headers, **content)
            except httpx.TransportError as error:
                if attempt > self._max_retries:
                    raise _unreached(f"{method} {path}", error) from error
                await asyncio.sleep(backoff(attempt))
                continue
            if reply.is_success or reply.is_redirect or reply.status_code in answers:
                return reply
            refusal = _refusal(reply)
            pause = pause_after(reply.status_code, reply.headers, attempt=attempt)
            if pause is None or attempt > self._max_retries or _is_used_up(refusal):
                raise refusal
            await asyncio.sleep(pause)

    @asynccontextmanager
    async def lines(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a streamed answer, while the block lasts.

        Raises:
            ConnectionFailed: the server did not answer, or stopped in the middle.
            ApiProblem: it refused.
        """
        try:
            async with self._http.stream("POST", path, json=_given(body)) as reply:
                if not reply.is_success:
                    await reply.aread()
                    raise _refusal(reply)
                yield reply.aiter_lines()
        except httpx.TransportError as error:
            raise _unreached(f"POST {path}", error) from error

    async def post_form(self, url: str, fields: Mapping[str, str], name: str, source: Path) -> None:
        """Send a file to the object store by a form, again where that can help: the same bytes are stored once.

        Raises:
            UploadRefused: the store refused the file.
            ConnectionFailed: it did not answer.
        """
        attempt = 0
        while True:
            attempt += 1
            try:
                with source.open("rb") as content:
                    reply = await self._store.post(url, data=dict(fields), files={"file": (name, content)})
            except httpx.TransportError as error:
                if attempt > self._max_retries:
                    raise _unreached(f"the object store did not take {name}", error) from error
                await asyncio.sleep(backoff(attempt))
                continue
            if reply.is_success:
                return
            pause = pause_after(reply.status_code, reply.headers, attempt=attempt)
            if pause is None or attempt > self._max_retries:
                why = f"status {reply.status_code}: {reply.text[:300]}"
                raise UploadRefused(f"the object store refused {name} with {why}")
            await asyncio.sleep(pause)

    async def download(self, url: str) -> bytes:
        """The bytes at an address of the object store.

        Raises:
            ConnectionFailed: the store did not answer, or refused.
        """
        try:
            reply = await self._store.get(url)
        except httpx.TransportError as error:
            raise _unreached("the object store did not answer", error) from error
        if not reply.is_success:
            raise ConnectionFailed(f"the object store refused with status {reply.status_code}")
        return reply.content


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _document(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidResponse(f"{reply.request.url} answered no JSON: is the address right?") from error
    if not isinstance(found, dict):
        raise InvalidResponse(f"{reply.request.url} answered what is no object: is the address right?")
    return found


def parsed(model: type[M], reply: httpx.Response) -> M:
    """An answer as a model.

    Raises:
        InvalidResponse: it is none.
    """
    try:
        return model.model_validate(_document(reply))
    except ValidationError as error:
        raise InvalidResponse(f"{reply.request.url} answered something else than {model.__name__}: {error}") from error


def _refusal(reply: httpx.Response) -> ApiProblem:
    try:
        found = reply.json()
    except (JSONDecodeError, UnicodeDecodeError):
        found = None
    problem = found if isinstance(found, dict) else {"detail": reply.text[:300]}
    return problem_of(reply.status_code, problem, retry_after=retry_after(reply.headers))


def _is_used_up(refusal: ApiProblem) -> bool:
    """Whether it is for a quota that no time gives back, such as that of files."""
    return refusal.code == QUOTA_EXCEEDED and refusal.retry_after is None


def _unreached(what: str, error: httpx.TransportError) -> ConnectionFailed:
    return ConnectionFailed(f"{what}: {error or type(error).__name__}")
