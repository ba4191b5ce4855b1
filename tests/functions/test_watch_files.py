"""Progress as it is pushed: the next piece from a function, a stream from a server."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
import uvicorn

from modulo.cli import serve
from modulo.domain.errors import NotFound, Throttled, Unavailable
from modulo.domain.files.file import Stage
from modulo.domain.files.subscription import MAX_STREAMS_PER_USER
from modulo.domain.tenancy.identity import Principal, api_key_hash, external_id
from modulo.runtime.event_stream import EventStream, StreamTiming, event_stream_response, open_streams
from modulo.runtime.threads import use_threads
from modulo.runtime.worker import function
from modulo.usecases import watch_files as use_case
from tests.doubles.memory_web import MemoryWeb
from tests.functions.conftest import as_user, fetch, ingest, ref_of, s3_event, sqs_event
from tests.functions.served import served
from tests.functions.test_add_url import add

TEXT = "Snow fell in July."


@dataclass
class Event:
    name: str
    id: str
    data: dict


def parsed(text):
    """A document's events, its last id and its retry, as a browser would read it."""
    events, last, retry = [], "", None
    for block in text.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line)
        last, retry = fields.get("id", last), fields.get("retry", retry)
        if "data" in fields:
            events.append(Event(fields["event"], last, json.loads(fields["data"])))
    return events, last, int(retry) if retry else None


def ask(api, collection, last=""):
    reply = api("GET", f"/collections/{collection}/events", headers={"last-event-id": last} if last else {})
    assert reply.status == 200, reply.text
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["cache-control"] == "no-store"
    return parsed(reply.text)


def test_first_there_is_a_snapshot_then_what_changes(api, collection, clock):
    receipt = api.upload(collection, TEXT)
    (snapshot,), last, retry = ask(api, collection)
    assert (snapshot.name, retry) == ("snapshot", 2_000)
    assert snapshot.data["complete"] is True
    (file,) = snapshot.data["files"]
    assert (file["file_id"], file["name"], file["stage"]) == (receipt["file_id"], "notes.txt", "awaiting_upload")
    clock.advance(timedelta(seconds=30))
    (again,), last, _ = ask(api, collection, last)
    assert again.data == file, "what was told just before the client went may not have reached it"
    clock.advance(timedelta(seconds=5))
    events, last, retry = ask(api, collection, last)
    assert (events, retry) == ([], 5_000)
    ingest(api, collection, receipt)
    (event,), last, retry = ask(api, collection, last)
    assert (event.name, event.data["stage"], event.data["chunk_count"], retry) == ("file", "ready", 1, 2_000)
    clock.advance(timedelta(seconds=30))
    _, last, _ = ask(api, collection, last)
    assert ask(api, collection, last)[0] == []


def test_an_empty_collection_is_told_once(api, collection, clock):
    (snapshot,), last, _ = ask(api, collection)
    assert snapshot.data == {"files": [], "complete": True}
    clock.advance(timedelta(seconds=3))
    assert ask(api, collection, last)[0] == []
    api.upload(collection, TEXT)
    assert [event.data["name"] for event in ask(api, collection, last)[0]] == ["notes.txt"]


def test_pages_and_the_estimated_end_are_told(api, collection, services, clock):
    receipt = api.upload(collection, TEXT)
    ref, now = ref_of(api, collection, receipt), clock.now()
    lease = {"lease_until": now + timedelta(hours=1)}
    claim = services.ingestion.claim(ref, version="1", now=now, deadline=now + timedelta(hours=1), **lease)
    clock.advance(timedelta(seconds=10))
    services.ingestion.advance(claim, Stage.embedding, pages_done=1, pages_total=4, now=clock.now(), **lease)
    ((snapshot,), _, _) = ask(api, collection)
    (file,) = snapshot.data["files"]
    assert (file["pages_done"], file["pages_total"]) == (1, 4)
    assert file["estimated_ready_at"] == (clock.now() + timedelta(seconds=30)).isoformat().replace("+00:00", "Z")


def test_a_failed_try_to_fetch_a_url_and_the_next_one_are_told(api, collection, services, clock):
    services.web = MemoryWeb({})
    add(api, collection)
    _, last, _ = ask(api, collection)
    clock.advance(timedelta(seconds=30))
    assert fetch(services)
    (event,), _, _ = ask(api, collection, last)
    assert (event.data["stage"], event.data["problem"]["code"]) == ("fetching", "unreachable-url")
    assert clock.now() < datetime.fromisoformat(event.data["next_attempt_at"]) <= clock.now() + timedelta(minutes=1)


def test_a_problem_and_a_deletion_are_told(api, collection, clock):
    receipt = api.upload(collection, "   ")
    _, last, _ = ask(api, collection)
    clock.advance(timedelta(seconds=1))
    ingest(api, collection, receipt)
    (event,), last, _ = ask(api, collection, last)
    assert (event.data["stage"], event.data["problem"]["code"]) == ("failed", "empty-file")
    clock.advance(timedelta(seconds=60))
    api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}")
    (event,), last, _ = ask(api, collection, last)
    assert (event.data["file_id"], event.data["stage"]) == (receipt["file_id"], "deleting")
    assert ask(api, collection)[0][0].data["files"] == []


def test_a_change_that_came_to_light_late_is_told(api, collection, services, clock):
    """Its transaction lasted, or its machine's clock is behind: its moment lies before the last look."""
    receipt = api.upload(collection, TEXT)
    clock.advance(timedelta(seconds=60))
    _, last, _ = ask(api, collection)
    before = clock.now() - timedelta(seconds=8)
    ref, lease = ref_of(api, collection, receipt), clock.now() + timedelta(hours=1)
    assert services.ingestion.claim(ref, version="1", now=before, lease_until=lease, deadline=lease)
    clock.advance(timedelta(seconds=1))
    assert [event.data["stage"] for event in ask(api, collection, last)[0]] == ["parsing"]


@pytest.mark.parametrize(
    "last",
    ["", "nonsense", "2026-03-14", "2026-03-14T09:30:00", "2026-03-14T08:00:00+00:00", "2027-01-01T00:00:00+00:00"],
)
def test_who_was_away_too_long_begins_anew(api, collection, last):
    api.upload(collection, TEXT)
    assert [event.name for event in ask(api, collection, last)[0]] == ["snapshot"]


def test_many_changes_come_in_pages_and_all(api, collection, clock, monkeypatch):
    monkeypatch.setattr(use_case, "PAGE_SIZE", 2)
    monkeypatch.setattr(use_case, "MAX_SNAPSHOT_FILES", 3)
    _, last, _ = ask(api, collection)
    for number in range(5):
        api.upload(collection, TEXT, f"{number}.txt")
    found = ask(api, collection, last)[0]
    assert sorted(event.data["name"] for event in found) == [f"{number}.txt" for number in range(5)]
    ((snapshot,), _, _) = ask(api, collection)
    assert (len(snapshot.data["files"]), snapshot.data["complete"]) == (3, False)


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(
        open_streams,
        "timing",
        StreamTiming(min_poll_seconds=0.01, max_poll_seconds=0.02, heartbeat_seconds=0.05, max_seconds=30),
    )
    monkeypatch.setattr(open_streams, "shutting_down", False)
    return open_streams.timing


@contextmanager
def server():
    with served(threads=4, grace_seconds=5) as url:
        try:
            yield f"{url}/api"
        finally:
            open_streams.shutting_down = True


class Stream:
    """A client that reads along."""

    def __init__(self, base, api, collection, last=None):
        self._client = httpx.Client(timeout=60)
        headers = {**api.headers, **({"last-event-id": last} if last else {})}
        request = self._client.build_request("GET", f"{base}/collections/{collection}/events", headers=headers)
        self.response = self._client.send(request, stream=True)
        self._text = self.response.iter_text()
        self.read = ""

    def until(self, wanted):
        """Read on until what was read has it."""
        while wanted not in self.read:
            self.read += next(self._text)
        return parsed(self.read[: self.read.rindex("\n\n") + 2])

    def rest(self):
        self.read += "".join(self._text)
        return parsed(self.read)

    def close(self):
        self.response.close()
        self._client.close()


@pytest.fixture
def stream():
    opened = []

    def opening(*args):
        opened.append(Stream(*args))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()


def test_a_server_streams(api, collection, services, fast, stream, clock):
    receipt = api.upload(collection, TEXT)
    with server() as base:
        open_stream = stream(base, api, collection)
        assert open_stream.response.headers["content-type"].startswith("text/event-stream")
        open_stream.until("snapshot")
        clock.advance(timedelta(seconds=1))
        ingest_in_place(services, ref_of(api, collection, receipt))
        events, _, retry = open_stream.until('"ready"')
        assert events[0].name == "snapshot"
        assert events[-1].data["stage"] == "ready"
        assert retry == 2_000
    events, last, _ = open_stream.rest()
    assert last >= events[-1].id
    assert not open_streams.count


def ingest_in_place(services, ref):
    assert function("ingest_file").handler(sqs_event(s3_event(ref)), None)["batchItemFailures"] == []


def test_a_stream_goes_on_where_it_was(api, collection, services, fast, stream, clock):
    api.upload(collection, TEXT)
    with server() as base:
        _, last, _ = stream(base, api, collection).until("snapshot")
        clock.advance(timedelta(seconds=20))
        resumed = stream(base, api, collection, last)
        resumed.until("id: ")
        assert "snapshot" not in resumed.read


def test_a_stream_shows_that_it_lives_and_ends_in_time(api, collection, fast, stream):
    fast.max_seconds = 0.4
    with server() as base:
        opened = stream(base, api, collection)
        events, last, _ = opened.rest()
    assert [event.name for event in events] == ["snapshot"]
    assert opened.read.count("id: ") >= 3
    assert last


def test_a_member_who_is_removed_is_cut_off(api, collection, services, fast, stream):
    bob = as_user("bob")
    path = f"/collections/{collection}/members/{user_id_of('bob')}"
    assert api("PUT", path, json={"role": "viewer"}).status == 200
    with server() as base:
        opened = stream(base, bob, collection)
        opened.until("snapshot")
        services.members.remove_member(principal(services, api), UUID(collection), user_id_of("bob"))
        events, _, _ = opened.rest()
    assert (events[-1].name, events[-1].data["type"]) == ("end", "urn:modulo:problem:not-found")


def user_id_of(name):
    return external_id("modulo", f"user:acme:{name}")


def principal(services, api):
    secret = api.headers["authorization"].removeprefix("Bearer ")
    return services.identities.principal_of(api_key_hash(secret), now=services.clock.now())


@pytest.mark.parametrize("settings", [{"api_key_cache_seconds": 0}], indirect=True)
def test_a_key_that_is_revoked_is_cut_off(api, collection, services, fast, stream):
    with server() as base:
        opened = stream(base, api, collection)
        opened.until("snapshot")
        tenant = principal(services, api).tenant_id
        (key,) = services.identities.list_api_keys(tenant)
        services.identities.revoke_api_key(tenant, key.id, now=services.clock.now())
        events, _, _ = opened.rest()
    assert (events[-1].name, events[-1].data["status"]) == ("end", 401)


def test_a_store_that_does_not_answer_for_a_while_ends_no_stream(api, collection, services, fast, stream, clock):
    files, asked = services.files, threading.Semaphore(0)

    class Down:
        def changes(self, *args, **options):
            asked.release()
            raise Unavailable(dependency="postgres")

    with server() as base:
        opened = stream(base, api, collection)
        opened.until("snapshot")
        # The endpoint has bound the store it began with, so it is that one that fails for a while.
        working, files.changes = files.changes, Down().changes
        assert asked.acquire(timeout=60)
        assert asked.acquire(timeout=60)
        files.changes = working
        form = {"file": ("notes.txt", TEXT)}
        httpx.post(
            f"{base}/collections/{collection}/files", headers=api.headers, files=form, timeout=60
        ).raise_for_status()
        assert opened.until("notes.txt")[0][-1].name == "file"


def test_a_user_has_only_so_many(api, collection, fast, stream):
    other = as_user("eve")
    theirs = other.create_collection("theirs")
    with server() as base:
        for _ in range(MAX_STREAMS_PER_USER):
            stream(base, api, collection).until("snapshot")
        refused = stream(base, api, collection)
        assert refused.response.status_code == 429
        refused.response.read()
        assert stream(base, other, theirs).until("snapshot")


async def opened_at_once(number, caller, look):
    """The streams that were opened of so many asked for at once, and how many were refused."""
    opened, refused = [], []

    async def ask_for_one():
        async def authenticate():
            await anyio.lowlevel.checkpoint()
            return caller

        try:
            opened.append(await EventStream.open(look, authenticate, None))
        except Throttled as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(number):
            tasks.start_soon(ask_for_one)
    return opened, refused


def test_the_limit_holds_for_streams_opened_at_once(services, fast):
    caller = Principal(uuid4(), uuid4(), frozenset())

    async def main():
        opened, refused = await opened_at_once(60, caller, lambda _caller, *, position: [])
        assert (len(opened), len(refused)) == (MAX_STREAMS_PER_USER, 60 - MAX_STREAMS_PER_USER)
        for each in opened:
            each.close()
        assert not open_streams.count

    anyio.run(main)


def test_a_stream_that_cannot_be_opened_is_not_counted(services, fast):
    caller = Principal(uuid4(), uuid4(), frozenset())

    def look(_caller, *, position):
        raise NotFound

    async def main():
        for _ in range(MAX_STREAMS_PER_USER + 1):
            with pytest.raises(NotFound):
                await EventStream.open(look, _as(caller), None)
        assert not open_streams.count

    anyio.run(main)


def _as(caller):
    async def authenticate():
        return caller

    return authenticate


def test_a_client_that_leaves_before_the_first_event_is_not_counted(services, fast):
    caller = Principal(uuid4(), uuid4(), frozenset())

    async def leave(_message):
        raise OSError("the client left")

    async def receive():
        return {"type": "http.disconnect"}

    async def main():
        use_threads(1)
        try:
            answer = await event_stream_response(lambda _caller, *, position: [], _as(caller), None)
            assert open_streams.count.total() == 1
            with suppress(OSError, BaseExceptionGroup):
                await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, leave)
        finally:
            use_threads(None)
        assert not open_streams.count

    anyio.run(main)


def test_who_leaves_is_forgotten(api, collection, fast, stream):
    with server() as base:
        opened = stream(base, api, collection)
        opened.until("snapshot")
        assert open_streams.count.total() == 1
        opened.close()
        eventually_nobody_watches()


def eventually_nobody_watches():
    deadline = time.monotonic() + 60
    while open_streams.count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not open_streams.count


def test_the_server_asks_who_watches_to_come_back(monkeypatch):
    monkeypatch.setattr(open_streams, "shutting_down", False)
    server = serve._Server(uvicorn.Config(lambda *_: None))
    server.handle_exit(15, None)
    assert open_streams.shutting_down
    assert server.should_exit
