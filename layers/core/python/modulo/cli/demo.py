"""The demo collection: uploads the bundled sample documents through the HTTP API."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx

SAMPLES = Path(__file__).parent / "samples"
NAME = "demo"
QUESTION = "How long does a full battery run the Aerie 3 without sun?"
UNFINISHED = {"awaiting_upload", "fetching", "queued", "parsing", "embedding", "indexing"}
TIMEOUT_SECONDS = 300.0


class DemoError(Exception):
    """The API answered with an error, or a sample did not become ready."""


class Api:
    """A minimal client of the HTTP API."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)  # bypass proxies

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def collection(self, name: str) -> str:
        """The id of the collection with that name, created if missing."""
        found = [one["id"] for one in self._items("/collections", name=name) if one["name"] == name]
        return str(found[0] if found else self._json("POST", "/collections", json={"name": name})["id"])

    def upload(self, collection: str, path: Path) -> None:
        """Upload a file."""
        self._json("POST", f"/collections/{collection}/files", files={"file": (path.name, path.read_bytes())})

    def files(self, collection: str) -> dict[str, dict[str, Any]]:
        """The collection's files by name."""
        return {one["name"]: one for one in self._items(f"/collections/{collection}/files")}

    def _items(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        page: dict[str, Any] = {"next": ""}
        while "next" in page:
            after = {"after": page["next"]} if page["next"] else {}
            page = self._json("GET", path, params={**query, **after, "limit": 100})
            yield from page["items"]

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {path}: no response: {error!r}") from error
        if response.is_error:
            raise DemoError(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        answer: dict[str, Any] = response.json()
        return answer


def load_samples(url: str, key: str, *, on_progress: Callable[[int, int], None]) -> dict[str, str]:
    """Upload missing samples and wait until all are ready; the collection and a sample question.

    `on_progress` is called repeatedly with the number of ready samples and the total.

    Raises:
        DemoError: the API answered with an error, or a sample failed or was not ready in time.
    """
    with Api(url, key) as api:
        collection = _load(api, on_progress)
    return {"collection": NAME, "collection_id": collection, "question": QUESTION}


def _load(api: Api, on_progress: Callable[[int, int], None]) -> str:
    collection = api.collection(NAME)
    samples = sorted(path for path in SAMPLES.iterdir() if path.is_file())
    present = api.files(collection)
    for path in samples:
        if path.name not in present or present[path.name]["stage"] == "failed":
            api.upload(collection, path)
    give_up = time.monotonic() + TIMEOUT_SECONDS
    while True:
        files = api.files(collection)
        stages = {path.name: files[path.name]["stage"] for path in samples if path.name in files}
        on_progress(sum(stage == "ready" for stage in stages.values()), len(samples))
        if not UNFINISHED & set(stages.values()):
            break
        if time.monotonic() > give_up:
            raise DemoError(f"samples not ready after {TIMEOUT_SECONDS:.0f} s: {stages}")
        time.sleep(0.3)
    for name, stage in stages.items():
        if stage != "ready":
            raise DemoError(f"{name} is {stage}: {(files[name]['problem'] or {}).get('detail', 'no reason given')}")
    return collection
