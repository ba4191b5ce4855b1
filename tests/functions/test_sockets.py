"""WebSockets of servers and of API Gateway: the progress that server-sent events tell, for browsers."""

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.subscription import MAX_STREAMS_PER_USER
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.runtime import websockets as sockets
from modulo.runtime.event_stream import open_streams
from modulo.runtime.worker import function
from tests.functions.conftest import Api, as_user, ingest, ref_of
from tests.functions.gateway import Gateway
from tests.functions.test_watch_files import (
    TEXT,
    eventually_nobody_watches,
    fast,
    ingest_in_place,
    principal,
    server,
    user_id_of,
)
from tests.sockets import Socket

__all__ = ["fast"]


def request_of(api, collection, **more):
    token = api.headers["authorization"].removeprefix("Bearer ")
    return json.dumps({"action": "watch", "token": token, "collection_id": str(collection), **more})


@pytest.fixture
def connect():
    opened = []

    def connecting(base):
        opened.append(Socket(f"{base}/ws"))
        return opened[-1]

    yield connecting
    for each in opened:
        each.close()


def events(*messages):
    return [(event["event"], event["data"]) for message in messages for event in message["events"]]


def refusal(messages):
    """The problem that is all that was told."""
    ((name, problem),) = events(*messages)
    assert name == "end"
    return problem


def test_it_tells_what_server_sent_events_tell(api, collection, services, fast, connect, clock):
    receipt = api.upload(collection, TEXT)
    with server() as base:
        opened = connect(base).say(request_of(api, collection))
        first = opened.hear()
        ((name, snapshot),) = events(first)
        assert (name, snapshot["complete"]) == ("snapshot", True)
        assert [file["file_id"] for file in snapshot["files"]] == [receipt["file_id"]]
        clock.advance(timedelta(seconds=1))
        ingest_in_place(services, ref_of(api, collection, receipt))
        told = opened.hear()
        while "ready" not in {file["stage"] for _, file in events(told)}:
            told = opened.hear()
        assert {name for name, _ in events(told)} == {"file"}
        assert told["id"] >= first["id"]
        resumed = connect(base).say(request_of(api, collection, last_event_id=told["id"]))
        assert "snapshot" not in dict(events(*(resumed.hear() for _ in range(3))))


def test_it_shows_that_it_lives_and_says_when_to_come_back(api, collection, fast, connect):
    fast.max_seconds = 0.4
    with server() as base:
        opened = connect(base).say(request_of(api, collection))
        opened.say("hello")
        opened.say(b"\x00")
        first, *signs = opened.rest()
    assert [name for name, _ in events(first)] == ["snapshot"]
    assert len(signs) >= 3
    assert events(*signs) == []
    assert all(sign["id"] for sign in signs)
    assert opened.code == 1000


def test_a_large_message_is_refused(services, fast, connect):
    with server() as base:
        opened = connect(base)
        opened.say("x" * (sockets.MAX_MESSAGE_BYTES + 1))
        assert opened.rest() == []
    assert opened.code == 1009


def test_who_says_nothing_is_let_go(services, fast, connect):
    fast.handshake_seconds = 0.05
    with server() as base:
        opened = connect(base)
        assert refusal(opened.rest())["status"] == 422
    assert opened.code == 1008


def test_who_leaves_is_forgotten(api, collection, fast, connect):
    with server() as base:
        connect(base).close()
        opened = connect(base).say(request_of(api, collection))
        opened.hear()
        assert open_streams.count.total() == 1
        opened.close()
        eventually_nobody_watches()


def test_a_user_has_only_so_many(api, collection, fast, connect):
    with server() as base:
        for _ in range(MAX_STREAMS_PER_USER):
            assert events(connect(base).say(request_of(api, collection)).hear())
        assert refusal(connect(base).say(request_of(api, collection)).rest())["status"] == 429


def test_a_member_who_is_removed_is_cut_off(api, collection, services, fast, connect):
    bob = as_user("bob", scopes=[Scope.read])
    assert api("PUT", f"/collections/{collection}/members/{user_id_of('bob')}", json={"role": "viewer"}).status == 200
    with server() as base:
        opened = connect(base).say(request_of(bob, collection))
        opened.hear()
        services.members.remove_member(principal(services, api), UUID(collection), user_id_of("bob"))
        assert refusal(opened.rest()[-1:])["type"] == "urn:modulo:problem:not-found"
    assert opened.code == 1008


@pytest.mark.parametrize("settings", [{"api_key_cache_seconds": 0}], indirect=True)
def test_a_key_that_is_revoked_is_cut_off(api, collection, services, fast, connect):
    with server() as base:
        opened = connect(base).say(request_of(api, collection))
        opened.hear()
        revoke(services, api)
        assert refusal(opened.rest()[-1:])["status"] == 401
    assert opened.code == 1008


def revoke(services, api):
    tenant = principal(services, api).tenant_id
    (key,) = services.identities.list_api_keys(tenant)
    services.identities.revoke_api_key(tenant, key.id, now=services.clock.now())


def test_through_the_gateway_what_changes_is_told_by_itself(api, collection, services, clock, gateway):
    receipt = api.upload(collection, TEXT)
    (first,) = gateway.say(request_of(api, collection))
    ((name, snapshot),) = events(first)
    assert (name, [file["name"] for file in snapshot["files"]]) == ("snapshot", ["notes.txt"])
    assert first["id"] == clock.now().isoformat()
    assert gateway.told() == []
    clock.advance(timedelta(seconds=30))
    assert ingest(api, collection, receipt) == []
    assert gateway.told() == [], "what else happens in that second is told with it"
    clock.advance(timedelta(seconds=1))
    (second,) = gateway.told()
    assert [(name, file["stage"]) for name, file in events(second)] == [("file", "ready")]
    clock.advance(timedelta(seconds=5))
    assert gateway.told() == []
    assert api("GET", "/collections/" + collection + "/events").status == 200, "requests are served besides"


def test_who_comes_back_to_the_gateway_is_told_what_happened_meanwhile(api, collection, services, clock, gateway):
    (first,) = gateway.say(request_of(api, collection))
    gateway.happens("DISCONNECT")
    receipt = api.upload(collection, TEXT)
    assert services.pushes.receive(limit=1, wait_seconds=0) == [], "nobody watches"
    clock.advance(timedelta(seconds=30))
    again = Gateway(services, clock)
    (told,) = again.say(request_of(api, collection, last_event_id=first["id"]))
    assert [(name, file["file_id"]) for name, file in events(told)] == [("file", receipt["file_id"])]


def test_the_gateway_tells_each_user_of_so_many_connections(api, collection, services, clock):
    for _ in range(MAX_STREAMS_PER_USER):
        assert [name for name, _ in events(*Gateway(services, clock).say(request_of(api, collection)))] == ["snapshot"]
    assert refusal(Gateway(services, clock).say(request_of(api, collection)))["status"] == 429


def test_connecting_to_the_gateway_alone_does_nothing(services, gateway):
    gateway.happens("CONNECT")
    assert services.pushes.receive(limit=1, wait_seconds=0) == []
    assert gateway.told() == []


def test_an_unexpected_error_is_told_to_the_gateway_without_its_words(api, collection, services, gateway, monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(services.subscriptions, "add_subscription", broken)
    problem = refusal(gateway.say(request_of(api, collection)))
    assert problem["status"] == 500
    assert "secret" not in str(problem)


def test_a_token_that_ends_is_remembered_with_its_end(services, clock, gateway, monkeypatch):
    """Where API Gateway's two hours are longer than the token's."""
    bob = Principal(external_id("modulo", "tenant:acme"), user_id_of("bob"), frozenset(Scope))

    class Issuer:
        def principal(self, token):
            return bob

        def expires_at(self, token):
            return clock.now() + timedelta(minutes=5)

    services.tokens = Issuer()
    api = Api({"authorization": "Bearer token-of-bob"})
    collection = api.create_collection()
    assert [name for name, _ in events(*gateway.say(request_of(api, collection)))] == ["snapshot"]
    clock.advance(timedelta(minutes=5))
    function("sweep").handler({}, None)
    assert refusal(gateway.told())["status"] == 401
    assert gateway.closed


# What holds for both.


@pytest.fixture(params=["server", "gateway"])
def told(request, services, fast):
    """All that is told to who says something, and is then refused."""
    if request.param == "gateway":
        clock = request.getfixturevalue("clock")

        def said_to_gateway(said):
            gateway = Gateway(services, clock)
            messages = gateway.say(said)
            assert gateway.closed
            return messages

        yield said_to_gateway
        return
    connect = request.getfixturevalue("connect")
    with server() as base:

        def said_to_server(said):
            opened = connect(base)
            opened.say(said)
            messages = opened.rest()
            assert opened.code == 1008
            return messages

        yield said_to_server


@pytest.mark.parametrize(
    ("stranger", "status"),
    [(("eve", "evil"), 404), (("ada", "evil"), 404), (("bob", "acme"), 404), (("ada", "acme", [Scope.write]), 403)],
    ids=["other tenant", "namesake", "not a member", "without the scope"],
)
def test_foreign_collections_answer_like_unknown_ones(api, collection, told, stranger, status):
    caller = as_user(*stranger)
    foreign, unknown = (refusal(told(request_of(caller, asked))) for asked in (collection, uuid4()))
    assert foreign.pop("request_id") != unknown.pop("request_id")
    assert foreign.pop("trace_id") != unknown.pop("trace_id")
    assert foreign == unknown
    assert foreign["status"] == status
    assert not open_streams.count


WATCH = {"action": "watch", "token": "mod_unknown", "collection_id": str(UUID(int=1))}


@pytest.mark.parametrize(
    ("said", "status", "named"),
    [
        (WATCH, 401, None),
        ({**WATCH, "token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJ0ZW5hbnQiOiJhY21lIn0."}, 401, None),
        ({**WATCH, "token": ""}, 422, "token"),
        ({**WATCH, "token": "x" * 17_000}, 422, "token"),
        ({**WATCH, "collection_id": "papers"}, 422, "collection_id"),
        ({**WATCH, "tenant_id": str(UUID(int=2))}, 422, "tenant_id"),
        ({**WATCH, "last_event_id": "x" * 101}, 422, "last_event_id"),
        ({**WATCH, "action": "delete"}, 422, "action"),
        ({}, 422, "token"),
        ([], 422, ""),
        ("{", 400, None),
        ("", 400, None),
        ("{" * 20_000, 400, None),
    ],
)
def test_what_is_no_valid_request_is_told_and_ends_it(told, said, status, named):
    problem = refusal(told(said if isinstance(said, str) else json.dumps(said)))
    assert problem["status"] == status
    if named is not None:
        assert named in {error["field"] for error in problem["errors"]}
    assert "mod_unknown" not in json.dumps(problem)


def test_a_store_that_does_not_answer_is_told(api, collection, services, told, monkeypatch):
    def down(*_args, **_options):
        raise Unavailable(dependency="postgres")

    monkeypatch.setattr(services.files, "changes", down)
    monkeypatch.setattr(services.subscriptions, "add_subscription", down)
    assert refusal(told(request_of(api, collection)))["status"] == 503


def test_a_credential_is_never_logged(api, collection, told, caplog):
    caplog.set_level("DEBUG")
    said = request_of(api, uuid4())
    assert refusal(told(said))["status"] == 404
    assert json.loads(said)["token"] not in caplog.text
