"""A collection is embedded anew on the real stack while searches never stop: none fails, and none sees a mixture."""

import threading
from itertools import count
from typing import Any

import httpx
import pytest

from modulo.runtime.worker import function
from modulo.services import Services
from tests.e2e.test_main_job import Client, http, product, until

__all__ = ["http", "product"]  # the fixtures of the main job, on a stack of this module's own

KEEPERS = ("Ada", "Bruno", "Chiara", "Dmitri", "Edda", "Farid")
SHORT = {"max_tokens": 32, "overlap_tokens": 0}
LONGEST_SHORT = 300
"""Characters: a text is one chunk of the old index, and longer; no chunk of the new one is."""


def text(keeper: str) -> str:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
    return " ".join(
        f"On {day} {keeper} lights the lamp of the lighthouse at {hour} o'clock." for hour, day in enumerate(days, 4)
    )


class Searching:
    """Searches one after the other, each with a question of its own, until told to stop."""

    def __init__(self, client: Client, collection: str) -> None:
        self.seen: list[tuple[int, set[int], set[str]]] = []
        self.errors: list[BaseException] = []
        self._client, self._collection = client, collection
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Searching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for number in count():
            if self._stop.is_set():
                return
            try:
                question = f"Who lights the lamp of lighthouse {number}?"
                found = self._client.ask(self._collection, question, top_k=20, retrieve_only=True)
            except BaseException as error:
                self.errors.append(error)
                return
            chunks = [result["chunk"] for result in found["query_results"]]
            kinds = {1 if len(chunk["text"]) <= LONGEST_SHORT else 0 for chunk in chunks}
            sources = {chunk["metadata"]["source"] for chunk in chunks}
            self.seen.append((found["metadata"]["collection_version"], kinds, sources))


@pytest.mark.parametrize("dedicated", [False, True], ids=["shared", "dedicated"])
def test_searches_never_stop(product: Services, http: httpx.Client, dedicated: bool) -> None:
    client = Client(http, f"beacon {dedicated}")
    collection = client.create(dedicated=dedicated)
    files = {keeper: client.upload(collection, f"{keeper}.txt", text(keeper)) for keeper in KEEPERS}
    assert {client.finished(collection, file)["stage"] for file in files.values()} == {"ready"}
    path = f"/collections/{collection}/reembedding"

    def swept(ready: Any) -> Any:
        function("sweep").handler({}, None)
        return ready(client("GET", path, 200))

    with Searching(client, collection) as searching:
        client("POST", path, 202, json={"chunking": SHORT, "auto_switch": False})
        added = client.upload(collection, "Greta.txt", text("Greta"))
        replaced = client.upload(collection, "Ada.txt", text("Ada").replace("Ada", "Adam"))
        client("DELETE", f"/collections/{collection}/files/{files['Bruno']}", 202)
        assert {client.finished(collection, file)["stage"] for file in (added, replaced)} == {"ready"}
        built = until(lambda: swept(lambda found: found["state"] == "ready" and found))
        assert (built["files_total"], built["files_done"], built["failures"]) == (6, 6, [])
        before = len(searching.seen)
        client("POST", f"{path}/switch", 200, json={})
        until(lambda: len(searching.seen) > before + 5)
        late = client.upload(collection, "Hanno.txt", text("Hanno"))
        assert client.finished(collection, late)["stage"] == "ready"
        until(lambda: swept(lambda found: found["files_done"] == 7))
        before_back = len(searching.seen)
        client("POST", f"{path}/rollback", 200, json={})
        until(lambda: len(searching.seen) > before_back + 5)
    assert searching.errors == []
    assert all(len(kinds) == 1 and sources for _, kinds, sources in searching.seen)
    versions = [version for version, _, _ in searching.seen]
    assert versions == sorted(versions)
    course = [kinds.pop() for _, kinds, _ in searching.seen]
    turns = [index for index in range(1, len(course)) if course[index] != course[index - 1]]
    assert [course[0], *(course[turn] for turn in turns)] == [0, 1, 0]  # there, and back
    assert {"Ada.txt", "Greta.txt", "Hanno.txt"} <= searching.seen[-1][2]
    assert "Bruno.txt" not in searching.seen[-1][2]
    assert client("GET", path, 200)["state"] == "rolled_back"
