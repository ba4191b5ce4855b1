"""Telling those who watch on connections of API Gateway, whatever fails meanwhile."""

import json
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files import event_batch
from modulo.domain.operations.messages import Delivery, PushRequest
from modulo.domain.tenancy.identity import Scope
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.doubles.memory_websockets import MemoryWebSockets
from tests.functions.conftest import as_user, ingest, sqs_event
from tests.functions.gateway import Gateway
from tests.functions.test_sockets import events, refusal, request_of, revoke
from tests.functions.test_watch_files import TEXT, principal, user_id_of

SECOND = timedelta(seconds=1)


@pytest.fixture
def watching_ada(api, collection, gateway):
    """Somebody who has been told what there is, which is nothing."""
    assert [name for name, _ in events(*gateway.say(request_of(api, collection)))] == ["snapshot"]
    return gateway


def push(services, api, collection, **more):
    """Have everybody who watches told; whether that went well."""
    body = PushRequest(principal(services, api).tenant_id, UUID(collection)).body()
    record = record_of(Delivery(str(uuid4()), "receipt", json.dumps(body), 1, **more))
    return function("push_events").handler({"Records": [record]}, None) == {"batchItemFailures": []}


def names(messages):
    return [file["name"] for _, file in events(*messages)]


def test_many_changes_of_a_moment_are_one_message_in_their_order(api, collection, clock, watching_ada):
    for number in range(5):
        api.upload(collection, TEXT, f"{number}.txt")
        clock.advance(timedelta(milliseconds=1))
    clock.advance(SECOND)
    (told,) = watching_ada.told()
    assert names([told]) == [f"{number}.txt" for number in range(5)]


def test_a_message_that_comes_twice_late_or_for_nobody_tells_nothing(api, collection, services, clock, watching_ada):
    api.upload(collection, TEXT)
    clock.advance(SECOND)
    assert len(watching_ada.told()) == 1
    assert push(services, api, collection)
    assert push(services, api, collection, sent_at=clock.now() - SECOND)
    assert push(services, api, str(uuid4()))
    assert watching_ada.told() == []


@pytest.mark.parametrize("body", ["{", "{}", '{"tenant_id": "x", "collection_id": "y"}', '{"connection_id": "z"}'])
def test_what_is_no_message_fails_alone(services, body):
    assert len(function("push_events").handler(sqs_event(body), None)["batchItemFailures"]) == 1


class Failing(MemoryWebSockets):
    """Connections that cannot be spoken to for now, or on which nothing is heard though it was said."""

    def __init__(self, services):
        super().__init__()
        self.said, self.failing = services.sockets.said, True
        services.sockets = self

    def send(self, connection_id, message):
        if self.failing:
            raise Unavailable("The connections are throttled.", dependency="sockets")
        return super().send(connection_id, message)


def test_what_cannot_be_said_is_said_when_the_message_comes_again(api, collection, services, clock, watching_ada):
    failing = Failing(services)
    api.upload(collection, TEXT)
    clock.advance(SECOND)
    assert watching_ada.told() == []
    failing.failing = False
    clock.advance(timedelta(minutes=1))
    assert names(watching_ada.told()) == ["notes.txt"]


def test_one_who_cannot_be_told_keeps_nothing_from_the_others(api, collection, services, clock, watching_ada):
    other = Gateway(services, clock)
    other.services.pushes = watching_ada.services.pushes
    other.say(request_of(api, collection))

    class Half(MemoryWebSockets):
        def send(self, connection_id, message):
            if connection_id == watching_ada.connection:
                raise Unavailable(dependency="sockets")
            return super().send(connection_id, message)

    half = Half()
    half.said = services.sockets.said
    services.sockets = half
    api.upload(collection, TEXT)
    assert not push(services, api, collection)
    assert names(other.told()) == ["notes.txt"]
    services.sockets = MemoryWebSockets()
    services.sockets.said = half.said
    assert push(services, api, collection)
    assert names(watching_ada.told()) == ["notes.txt"]
    assert other.told() == []


def test_who_is_killed_between_saying_and_recording_has_it_said_again_and_nothing_lost(
    api, collection, services, clock, watching_ada, monkeypatch
):
    class Killed(BaseException):
        pass

    def dies(*_args, **_options):
        raise Killed

    api.upload(collection, TEXT)
    with monkeypatch.context() as patched:
        patched.setattr(services.subscriptions, "release_subscription", dies)
        with pytest.raises(Killed):
            push(services, api, collection)
    first = watching_ada.told()
    assert names(first) == ["notes.txt"]
    clock.advance(SECOND)
    assert push(services, api, collection)
    assert watching_ada.told() == [], "the dead one holds the lease"
    clock.advance(timedelta(minutes=1))
    assert push(services, api, collection)
    again = watching_ada.told()
    assert events(*again) == events(*first), "the same states, by which a client knows them"


def test_two_at_once_say_nothing_twice_and_the_second_has_it_looked_for_again(
    api, collection, services, clock, watching_ada
):
    """A change that the first has not seen, because it was looking already, is told a moment later."""
    saying, go_on = threading.Event(), threading.Event()

    class Slow(MemoryWebSockets):
        def send(self, connection_id, message):
            saying.set()
            assert go_on.wait(60)
            return super().send(connection_id, message)

    slow = Slow()
    slow.said = services.sockets.said
    services.sockets = slow
    api.upload(collection, TEXT, "first.txt")
    slower = threading.Thread(target=push, args=(services, api, collection))
    slower.start()
    assert saying.wait(60)
    clock.advance(SECOND)
    api.upload(collection, TEXT, "second.txt")
    assert push(services, api, collection), "it leaves that to who holds the watcher"
    go_on.set()
    slower.join(60)
    while services.pushes.receive(limit=10, wait_seconds=0):
        pass  # what was announced got lost
    clock.advance(SECOND)
    assert [names([told]) for told in watching_ada.told()] == [["first.txt"], ["second.txt"]]


def test_nothing_is_begun_that_would_outlast_the_lease(api, collection, services, clock, watching_ada, monkeypatch):
    changes = services.files.changes

    def slow(*args, **options):
        clock.advance(timedelta(seconds=50))
        return changes(*args, **options)

    api.upload(collection, TEXT)
    with monkeypatch.context() as patched:
        patched.setattr(services.files, "changes", slow)
        assert not push(services, api, collection)
    assert len(services.sockets.said[watching_ada.connection]) == watching_ada.heard
    assert names(watching_ada.told()) == ["notes.txt"]


def test_a_connection_that_is_gone_is_forgotten(api, collection, services, clock, watching_ada):
    services.sockets.closed.add(watching_ada.connection)
    api.upload(collection, TEXT)
    clock.advance(SECOND)
    assert watching_ada.told() == []
    api.upload(collection, TEXT, "more.txt")
    assert services.pushes.receive(limit=1, wait_seconds=0) == [], "nobody watches"


def test_a_last_word_to_a_connection_that_is_gone_is_let_be(api, collection, services, clock, watching_ada):
    services.sockets.closed.add(watching_ada.connection)
    assert api("DELETE", f"/collections/{collection}").status == 202
    clock.advance(SECOND)
    assert watching_ada.told() == []
    assert push(services, api, collection)


def test_who_hears_nothing_for_long_is_given_a_sign_of_life(api, collection, services, clock, watching_ada):
    heard = []
    for _ in range(11):
        clock.advance(timedelta(minutes=1))
        function("sweep").handler({}, None)
        heard += watching_ada.told()
    assert [message["events"] for message in heard] == [[], []]
    assert heard[-1]["id"] == (clock.now() - timedelta(minutes=1)).isoformat()


def test_a_change_whose_announcement_got_lost_is_told_within_a_minute(
    api, collection, services, clock, watching_ada, monkeypatch
):
    def down(*_args, **_options):
        raise Unavailable(dependency="sqs")

    with monkeypatch.context() as patched:
        patched.setattr(services.pushes, "send", down)
        receipt = api.upload(collection, TEXT)
    assert ingest(api, collection, receipt) == []
    while services.pushes.receive(limit=10, wait_seconds=0):
        pass
    clock.advance(timedelta(minutes=1))
    function("sweep").handler({}, None)
    assert names(watching_ada.told()) == ["notes.txt"]


def test_a_member_who_is_removed_is_told_so_at_once_and_nothing_more(api, collection, services, clock):
    bob, gateway = as_user("bob", scopes=[Scope.read]), Gateway(services, clock)
    assert api("PUT", f"/collections/{collection}/members/{user_id_of('bob')}", json={"role": "viewer"}).status == 200
    gateway.say(request_of(bob, collection))
    assert api("DELETE", f"/collections/{collection}/members/{user_id_of('bob')}").status == 204
    api.upload(collection, TEXT)
    clock.advance(SECOND)
    assert refusal(gateway.told())["type"] == "urn:modulo:problem:not-found"
    assert gateway.closed


def test_a_collection_that_is_deleted_ends_the_watch(api, collection, clock, watching_ada):
    assert api("DELETE", f"/collections/{collection}").status == 202
    clock.advance(SECOND)
    assert refusal(watching_ada.told())["status"] == 404
    assert watching_ada.closed


def test_a_key_that_is_revoked_ends_the_watch(api, collection, services, clock, watching_ada):
    revoke(services, api)
    clock.advance(timedelta(minutes=1))
    function("sweep").handler({}, None)
    assert refusal(watching_ada.told())["status"] == 401
    assert watching_ada.closed


def test_a_last_word_that_cannot_be_said_is_said_later(api, collection, services, clock, watching_ada):
    failing = Failing(services)
    assert api("DELETE", f"/collections/{collection}").status == 202
    clock.advance(SECOND)
    assert watching_ada.told() == []
    failing.failing = False
    clock.advance(timedelta(minutes=2))
    assert refusal(watching_ada.told())["status"] == 404


@pytest.mark.parametrize("resumed", [False, True])
def test_no_more_is_said_than_the_gateway_passes_on(api, collection, services, clock, gateway, monkeypatch, resumed):
    monkeypatch.setattr(event_batch, "MAX_PUSH_BYTES", 8_000)
    position = gateway.say(request_of(api, collection))[0]["id"] if resumed else None
    gateway.happens("DISCONNECT")
    for number in range(30):
        receipt = api.upload(collection, f"{TEXT} {number}", f"{number:02}{'長' * 100}.txt")
        if number % 7 == 0:
            assert api("DELETE", f"/collections/{collection}/files/{receipt['file_id']}").status == 202
        clock.advance(timedelta(milliseconds=1))
    (told,) = Gateway(services, clock).say(request_of(api, collection, last_event_id=position))
    ((name, snapshot),) = events(told)
    numbers = [int(file["name"][:2]) for file in snapshot["files"]]
    assert (name, snapshot["complete"]) == ("snapshot", False)
    assert len(json.dumps(told, ensure_ascii=False).encode()) < 9_000
    assert numbers == sorted(numbers)
    assert numbers[-1] == 29
    assert 3 < len(numbers) < 25
    assert not {number % 7 for number in numbers} & {0}


def test_tenants_are_told_apart(api, collection, services, clock, watching_ada):
    eve, gateway = as_user("eve", "evil"), Gateway(services, clock)
    gateway.services.pushes = services.pushes
    other = eve.create_collection()
    gateway.say(request_of(eve, other))
    api.upload(collection, TEXT)
    clock.advance(SECOND)
    assert names(watching_ada.told()) == ["notes.txt"]
    assert gateway.told() == []
    body = {"tenant_id": str(principal(services, eve).tenant_id), "collection_id": collection}
    function("push_events").handler(sqs_event(json.dumps(body)), None)
    assert watching_ada.told() == []


def test_sweeps_do_not_rest_while_somebody_watches(api, collection, services, clock, watching_ada):
    services.settings = services.settings.model_copy(update={"sweep_rest_seconds": 3_600})
    rested = []
    for _ in range(3):
        clock.advance(timedelta(seconds=20))
        rested.append(function("sweep").handler({}, None)["rested"])
    assert rested == [False] * 3
    watching_ada.happens("DISCONNECT")
    services.pushes.receive(limit=10, wait_seconds=0)
    assert [function("sweep").handler({}, None)["rested"] for _ in range(2)] == [False, True]
    function("sweep").rest.until = None
