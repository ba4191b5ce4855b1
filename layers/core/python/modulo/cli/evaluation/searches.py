"""Asks the questions: one search each, through the HTTP API of a running server."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import httpx

from modulo.cli.evaluation import EvaluationError
from modulo.cli.evaluation.found import Found, found_in
from modulo.cli.evaluation.golden import GoldenQuestion

ATTEMPTS = 4
RETRIED = frozenset((429, 503))
MAX_WAIT_SECONDS = 30.0
TIMEOUT_SECONDS = 120.0
PAGE_ITEMS = 100


class ServerRefused(EvaluationError):
    """The server cannot be reached, or refuses what is asked."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What is evaluated: a collection, searched with a configuration."""

    name: str
    collection_id: str
    config: Mapping[str, Any]


class Server:
    """The HTTP API of a running server, whose address is given with or without `/api`."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        base = f"{url.rstrip('/').removesuffix('/api')}/api"
        self._http = httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def collection_id(self, wanted: str) -> str:
        """The id of the collection of that name or id.

        Raises:
            ServerRefused: there is none, several have the name, or some of its files are still being read.
        """
        found = [one for one in self._collections(wanted) if wanted in (one["id"], one["name"])]
        if len(found) != 1:
            raise ServerRefused(f"{len(found) or 'No'} collections are named {wanted!r}: name one by its id.")
        if found[0]["status"] == "processing":
            raise ServerRefused(f"The collection {wanted!r} still has files that are not ready: try again later.")
        return str(found[0]["id"])

    def files(self, collection_id: str) -> Iterator[Mapping[str, Any]]:
        """The collection's files, newest first."""
        return self._items(f"/collections/{collection_id}/files", limit=PAGE_ITEMS)

    def passages(self, collection_id: str, file_id: str) -> list[str]:
        """The texts of a file's passages, in the document's order."""
        chunks = self._items(f"/collections/{collection_id}/files/{file_id}/chunks", limit=PAGE_ITEMS)
        return [chunk["text"] for chunk in chunks]

    def ask(
        self,
        setup: Setup,
        questions: Sequence[GoldenQuestion],
        *,
        concurrency: int = 1,
        on_answer: Callable[[], None] = lambda: None,
    ) -> list[Found]:
        """What each question finds, in order; `on_answer` is called after each.

        Raises:
            ServerRefused: a question gets no answer: the rest would not be comparable.
        """

        def ask(question: GoldenQuestion) -> Found:
            found = self._search(setup, question)
            on_answer()
            return found

        with ThreadPoolExecutor(concurrency) as threads:
            try:
                return list(threads.map(ask, questions))
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise

    def _search(self, setup: Setup, question: GoldenQuestion) -> Found:
        body = {
            "question": question.question,
            "collection_id": setup.collection_id,
            "config_metadata": dict(setup.config),
        }
        started = time.perf_counter()
        try:
            reply = self._json("POST", "/search", json=body)
        except ServerRefused as error:
            raise ServerRefused(f"The question {question.id!r} got no answer. {error}") from None
        return found_in(reply, seconds=time.perf_counter() - started)

    def _collections(self, wanted: str) -> Iterator[Mapping[str, Any]]:
        if _is_id(wanted):
            yield self._json("GET", f"/collections/{wanted}")
            return
        yield from self._items("/collections", name=wanted)

    def _items(self, path: str, **query: str | int) -> Iterator[Mapping[str, Any]]:
        """The items of all pages of a list."""
        while True:
            page = self._json("GET", path, params=query)
            yield from page["items"]
            if not page.get("next"):
                return
            query["after"] = page["next"]

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The reply; a server that is busy is asked again when it says."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                response = self._http.request(method, path, **options)
            except httpx.HTTPError as error:
                raise ServerRefused(f"{self._http.base_url}{path.lstrip('/')} does not answer: {error!r}") from None
            if response.status_code not in RETRIED or attempt == ATTEMPTS:
                break
            time.sleep(_wait(response, attempt))
        if response.is_error:
            raise ServerRefused(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        reply: dict[str, Any] = response.json()
        return reply


def _wait(response: httpx.Response, attempt: int) -> float:
    """Seconds until the next attempt: what the server asks for, or one, two, four."""
    asked = response.headers.get("retry-after", "")
    return min(MAX_WAIT_SECONDS, float(asked) if asked.isdigit() else 2.0 ** (attempt - 1))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
