"""The demo collection: the bundled sample documents, loaded over the product's own HTTP API."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx

SAMPLES = Path(__file__).parent / "samples"
NAME = "demo"
QUESTION = "How long does a full battery run the Aerie 3 without sun?"
UNFINISHED = {"awaiting_upload", "queued", "parsing", "embedding", "indexing"}
PATIENCE_SECONDS = 300.0


class DemoError(Exception):
    """The API did not do what was asked of it."""


class Api:
    """The product's HTTP API, as any client sees it."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)  # no proxy in between

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def collection(self, name: str) -> str:
        """The id of the collection of that name, made if need be."""
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
        while page["next"] is not None:
            after = {"after": page["next"]} if page["next"] else {}
            page = self._json("GET", path, params={**query, **after, "limit": 100})
            yield from page["items"]

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise DemoError(f"{method} {path} got no answer: {error!r}") from error
        if response.is_error:
            raise DemoError(f"{method} {path} answered {response.status_code}: {response.text[:500]}")
        answer: dict[str, Any] = response.json()
        return answer


def load_samples(url: str, key: str, *, on_progress: Callable[[int, int], None]) -> dict[str, str]:
    """Upload the samples that are missing and wait until all are ready; what to ask of which collection.

    `on_progress` is told, again and again, how many are ready and how many there are.

    Raises:
        DemoError: one failed or took too long, or the API refused something.
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
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        files = api.files(collection)
        stages = {path.name: files[path.name]["stage"] for path in samples if path.name in files}
        on_progress(sum(stage == "ready" for stage in stages.values()), len(samples))
        if not UNFINISHED & set(stages.values()):
            break
        if time.monotonic() > give_up:
            raise DemoError(f"not ready after {PATIENCE_SECONDS:.0f} s: {stages}")
        time.sleep(0.3)
    for name, stage in stages.items():
        if stage != "ready":
            raise DemoError(f"{name} is {stage}: {(files[name]['problem'] or {}).get('detail', 'no reason given')}")
    return collection
