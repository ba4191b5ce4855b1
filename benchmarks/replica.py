"""How stale may a response be while the database's read replica lags behind?"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock
from uuid import UUID

import httpx
from sqlalchemy import make_url

from benchmarks.hash_embedder import hash_embedder
from benchmarks.product import Product, await_ready, in_process_services, new_collection, start_product, upload
from benchmarks.report import Report, run_question
from modulo.cli.stack import Stack
from modulo.cli.stack.postgres import DATABASE, NOT_DURABLE, SMALL_MACHINE, USER, Postgres, binaries
from modulo.cli.stack.process import HOST, exchange, free_port
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.admin.keys import list_keys, revoke_key
from modulo.runtime.admin.tenants import delete_tenant

LAG_SECONDS = 4
KEY_CACHE_SECONDS = 1
"""How long a server goes on accepting a revoked key anyway."""
SERVICES = ("postgres", "valkey", "milvus", "cloud")
PRIMARY = {"wal_level": "replica", "max_wal_senders": "4"}
READY_SECONDS = 60.0
WAIT_SECONDS = LAG_SECONDS + 15.0
POLL_SECONDS = 0.05
TENANT = "benchmark"


def start_replica(lag_seconds: float, stack: Stack) -> Mapping[str, str]:
    """Copy the stack's database into a streaming replica that applies each change so much later; its setting."""
    (primary,) = (service for service in stack._services if isinstance(service, Postgres))
    url = make_url(stack.environment["DATABASE_URL"])
    folder, port = primary.data / "replica", free_port()
    source = f"host={HOST} port={url.port} user={USER} password={url.password}"
    copy = [str(binaries() / "pg_basebackup"), "-D", str(folder), "-R", "-X", "stream", "-c", "fast", "-d", source]
    stack.run("basebackup", primary._as_account(copy))
    settings = {
        **SMALL_MACHINE,
        **NOT_DURABLE,
        **PRIMARY,
        "port": str(port),
        "hot_standby": "on",
        "recovery_min_apply_delay": f"{lag_seconds * 1_000:.0f}ms",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    replica = stack.spawn("replica", primary._as_account([str(binaries() / "postgres"), "-D", str(folder), *options]))
    replica.await_ready(lambda: primary.ready(port) and bool(exchange(port, SSL_REQUEST)), timeout=READY_SECONDS)
    return {
        "DATABASE_READER_URL": f"postgresql+pg8000://{USER}:{url.password}@{HOST}:{port}/{DATABASE}",
        "API_KEY_CACHE_SECONDS": str(KEY_CACHE_SECONDS),
    }


SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))


@contextmanager
def product_with_replica(lag_seconds: float) -> Iterator[Product]:
    """The product on a database with a replica."""
    with (
        mock.patch.dict(SMALL_MACHINE, PRIMARY),
        hash_embedder() as models,
        start_product(
            services=SERVICES,
            settings=models,
            serve=("--workers", "1"),
            workers=("ingest_file", "purge"),
            prepare=partial(start_replica, lag_seconds),
        ) as product,
    ):
        yield product


@dataclass(frozen=True, slots=True)
class Seen:
    """What a response showed of a change: whether at once, and after how many seconds (None: not while waited for)."""

    read: str
    change: str
    at_once: bool
    after: float | None


class Observer:
    """Makes changes and looks at responses until they show them."""

    def __init__(self, product: Product, client: httpx.Client) -> None:
        self.product = product
        self.client = client
        self.seen: list[Seen] = []

    def look(self, read: str, change: str, shows: Callable[[], bool], since: float) -> None:
        """Note when a response shows a change that was made at `since`."""
        at_once = shows()
        while not shows() and time.monotonic() - since < WAIT_SECONDS:
            time.sleep(POLL_SECONDS)
        after = time.monotonic() - since
        self.seen.append(Seen(read, change, at_once, None if after >= WAIT_SECONDS else after))

    def status(self, path: str, **more: Any) -> int:
        """The status of a GET."""
        return self.client.get(path, **more).status_code

    def ids(self, path: str) -> set[str]:
        """The ids in a list."""
        return {str(item.get("id") or item.get("user_id")) for item in self.client.get(path).json()["items"]}

    def found(self, collection: str, question: str) -> bool:
        """Whether a search finds a passage."""
        body = {"question": question, "collection_id": collection, "config_metadata": {"retrieve_only": True}}
        answer = self.client.post("/search", json=body)
        return answer.status_code == 200 and bool(answer.json()["documents"])

    def creations(self) -> tuple[str, str]:
        """A new collection and a new file; their ids."""
        collection, since = new_collection(self.client, "replica"), time.monotonic()
        path = f"/collections/{collection}"
        self.look("GET collection", "created", lambda: self.status(path) == 200, since)
        self.look("list of collections", "created", lambda: collection in self.ids("/collections"), since)
        since = time.monotonic()
        file = upload(self.client, collection, "vault.txt", b"The vault opens with the code 4711.\n" * 5)
        self.look("GET file", "created", lambda: self.status(f"{path}/files/{file}") == 200, since)
        self.look("list of files", "created", lambda: file in self.ids(f"{path}/files"), since)
        await_ready(self.client, collection, [file])
        since = time.monotonic()
        self.look("search", "file became ready", lambda: self.found(collection, "Which code opens the vault?"), since)
        return collection, file

    def memberships(self, collection: str) -> None:
        """A member who is added and removed."""
        other = self.product.new_key(TENANT, "other")
        headers = {"Authorization": f"Bearer {other}"}
        user, path = external_id("modulo", f"user:{TENANT}:other"), f"/collections/{collection}"
        self.client.put(f"{path}/members/{user}", json={"role": "viewer"}).raise_for_status()
        since = time.monotonic()
        self.look("GET collection", "member added", lambda: self.status(path, headers=headers) == 200, since)
        time.sleep(LAG_SECONDS + 1)
        self.client.delete(f"{path}/members/{user}").raise_for_status()
        since = time.monotonic()
        body = {"question": "Which code opens the vault?", "collection_id": collection}

        def refused() -> bool:
            return self.client.post("/search", json=body, headers=headers).status_code == 404

        self.look("search", "member removed", refused, since)
        since = time.monotonic()
        self.look("GET collection", "member removed", lambda: self.status(path, headers=headers) == 404, since)

    def deletions(self, collection: str, file: str) -> None:
        """A file and its collection that are deleted."""
        path = f"/collections/{collection}"
        self.client.delete(f"{path}/files/{file}").raise_for_status()
        since = time.monotonic()
        gone = partial(self.found, collection, "Which code opens the vault?")
        self.look("search", "file deleted", lambda: not gone(), since)
        self.look("download", "file deleted", lambda: self.status(f"{path}/files/{file}/download") == 404, since)
        self.look("GET file", "file deleted", lambda: self.status(f"{path}/files/{file}") == 404, since)
        self.look("list of files", "file deleted", lambda: file not in self.ids(f"{path}/files"), since)
        time.sleep(LAG_SECONDS + 1)
        self.client.delete(path).raise_for_status()
        since = time.monotonic()
        body = {"question": "Which code opens the vault?", "collection_id": collection}
        self.look(
            "search", "collection deleted", lambda: self.client.post("/search", json=body).status_code == 404, since
        )
        self.look("GET collection", "collection deleted", lambda: self.status(path) == 404, since)

    def credentials(self) -> None:
        """A key that is revoked, and a tenant that is deleted."""
        headers = {"Authorization": f"Bearer {self.product.new_key('second')}"}
        since = time.monotonic()
        self.look("any", "key created", lambda: self.status("/usage", headers=headers) == 200, since)
        time.sleep(LAG_SECONDS + 1)
        tenant: UUID = external_id("modulo", "tenant:second")
        revoke_key("second", list_keys("second")[0].id)
        since = time.monotonic()
        self.look("any", "key revoked", lambda: self.status("/usage", headers=headers) == 401, since)
        headers = {"Authorization": f"Bearer {self.product.new_key('second', 'more')}"}
        time.sleep(LAG_SECONDS + 1)
        delete_tenant(tenant)
        since = time.monotonic()
        self.look("any", "tenant deleted", lambda: self.status("/usage", headers=headers) == 401, since)


def measure(report: Report) -> None:
    """Make each kind of change, with a replica that lags and with one that does not."""
    observed = {lag: observe(lag) for lag in (0, LAG_SECONDS)}
    rows = [
        (now.read, now.change, _word(now), _seconds(now), _word(late), _seconds(late))
        for now, late in zip(observed[0], observed[LAG_SECONDS], strict=True)
    ]
    columns = ("read", "change", "at once", "after, s", f"at once, lag {LAG_SECONDS} s", "after, s")
    report.table("When a response shows a change", columns, rows)
    late = observed[LAG_SECONDS]
    searches = [one for one in late if one.read in ("search", "download")]
    stale = max((one.after if one.after is not None else WAIT_SECONDS) for one in late)
    report.figure(
        "replica.searches_current", sum(one.at_once for one in searches), "reads", "count", target=("==", len(searches))
    )
    report.figure("replica.longest_staleness", stale, "s", "time", target=("<", LAG_SECONDS + KEY_CACHE_SECONDS + 2))
    report.note(f"API keys are cached for {KEY_CACHE_SECONDS} s.")


def observe(lag_seconds: float) -> list[Seen]:
    """All changes, on a product of its own."""
    with product_with_replica(lag_seconds) as product, product.client() as client:
        observer = Observer(product, client)
        with in_process_services(product.environment):
            collection, file = observer.creations()
            time.sleep(lag_seconds + 1)
            observer.memberships(collection)
            observer.deletions(collection, file)
            observer.credentials()
        return observer.seen


def _word(seen: Seen) -> str:
    return "yes" if seen.at_once else "no"


def _seconds(seen: Seen) -> float | None:
    return seen.after


if __name__ == "__main__":
    run_question(measure)
