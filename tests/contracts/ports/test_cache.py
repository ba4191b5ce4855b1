"""What every cache promises, and how little may come of a broken one."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from redis import Redis

from modulo.adapters import valkey_cache
from modulo.adapters.valkey_cache import ValkeyCache
from modulo.domain.errors import Unavailable
from modulo.domain.search.cache_entry import CacheEntry
from modulo.ports.cache import Cache
from tests.contracts.wire import Wire
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_metrics import MemoryMetrics

Environment = dict[str, str]
BYTES = bytes(range(256))


class Time:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "valkey"])
def cache(request: pytest.FixtureRequest) -> Cache:
    if request.param == "memory":
        return MemoryCache()
    environment: Environment = request.getfixturevalue("valkey")
    return ValkeyCache(environment["CACHE_URL"], timeout=5)


def kept(values: dict[str, bytes], *, ttl: int, groups: tuple[str, ...] = ()) -> list[CacheEntry]:
    return [CacheEntry(key, value, ttl, groups) for key, value in values.items()]


@pytest.fixture
def key() -> str:
    return f"contract:{uuid4()}:"


class TestCache:
    def test_values_come_back_in_the_order_of_the_keys(self, cache: Cache, key: str) -> None:
        cache.put(kept({f"{key}a": BYTES, f"{key}b": b""}, ttl=60))
        assert cache.get([f"{key}b", f"{key}missing", f"{key}a"]) == [b"", None, BYTES]
        assert cache.get([]) == []

    def test_the_last_value_counts(self, cache: Cache, key: str) -> None:
        cache.put(kept({key: b"old"}, ttl=60))
        cache.put(kept({key: b"new"}, ttl=60))
        cache.put(kept({}, ttl=60))
        assert cache.get([key, key]) == [b"new", b"new"]

    def test_values_end(self, cache: Cache, key: str) -> None:
        cache.put(kept({key: b"value"}, ttl=1))
        assert cache.get([key]) == [b"value"]
        time.sleep(1.1)
        assert cache.get([key]) == [None]

    @pytest.mark.parametrize("ttl", [0, -1])
    def test_no_time_to_live_is_no_value(self, cache: Cache, key: str, ttl: int) -> None:
        cache.put(kept({key: b"value"}, ttl=ttl))
        assert cache.get([key]) == [None]
        cache.put(kept({key: b"value"}, ttl=60))
        assert cache.get([key]) == [b"value"]

    @pytest.mark.parametrize("odd", ["ünï 文書 🙂", "a b\r\nc", "*?[x]\\", "\ud800", "x" * 5_000])
    def test_any_text_is_a_key_and_a_group(self, cache: Cache, key: str, odd: str) -> None:
        cache.put(kept({key + odd: b"value"}, ttl=60, groups=(f"{key}of {odd}",)))
        assert cache.get([key + odd]) == [b"value"]
        assert cache.delete(f"{key}of {odd}") == 1
        assert cache.get([key + odd]) == [None]

    def test_a_group_is_deleted_and_nothing_else(self, cache: Cache, key: str) -> None:
        gone = [f"{key}a:{n}" for n in range(2_500)]
        left = [f"{key}b:1", f"{key}a", key]
        cache.put(kept(dict.fromkeys(gone, b"value"), ttl=60, groups=(f"{key}a",)))
        cache.put(kept({left[0]: b"value"}, ttl=60, groups=(f"{key}a:",)))
        cache.put(kept(dict.fromkeys(left[1:], b"value"), ttl=60))
        assert cache.delete(f"{key}a") == len(gone)
        assert cache.get(gone) == [None] * len(gone)
        assert cache.get(left) == [b"value"] * len(left)
        assert cache.delete(f"{key}a") == 0

    def test_a_group_goes_with_the_one_around_it(self, cache: Cache, key: str) -> None:
        cache.put(kept({f"{key}1": b"", f"{key}2": b""}, ttl=60, groups=(f"{key}all", f"{key}one")))
        cache.put(kept({f"{key}3": b""}, ttl=60, groups=(f"{key}all", f"{key}two")))
        cache.put(kept({f"{key}4": b""}, ttl=60, groups=(f"{key}all",)))
        assert cache.delete(f"{key}one") == 2
        assert cache.get([f"{key}1", f"{key}3", f"{key}4"]) == [None, b"", b""]
        cache.put(kept({f"{key}1": b""}, ttl=60, groups=(f"{key}all", f"{key}one")))
        assert cache.delete(f"{key}all") == 3
        assert cache.delete(f"{key}two") == 0

    @pytest.mark.parametrize("gone", ["a", "b", "c"])
    def test_an_entry_of_several_groups_goes_with_each_and_leaves_the_others(
        self, cache: Cache, key: str, gone: str
    ) -> None:
        names = {name: f"{key}{name}" for name in "abc"}
        cache.put([CacheEntry(f"{key}shared", b"", 60, (names["a"],), (names["b"], names["c"]))])
        for name, group in names.items():
            cache.put(kept({f"{key}of {name}": b""}, ttl=60, groups=(group,)))
        assert cache.delete(names[gone]) == 2
        assert cache.get([f"{key}shared"]) == [None]
        left = [f"{key}of {name}" for name in names if name != gone]
        assert cache.get(left) == [b"", b""]

    def test_what_ended_is_not_counted(self, cache: Cache, key: str) -> None:
        cache.put(kept({f"{key}1": b""}, ttl=1, groups=(key,)))
        cache.put(kept({f"{key}2": b""}, ttl=60, groups=(key,)))
        time.sleep(1.1)
        assert cache.delete(key) == 1

    def test_threads_share_a_cache(self, cache: Cache, key: str) -> None:
        def round_trip(number: int) -> bytes | None:
            cache.put(kept({f"{key}{number}": b"%d" % number}, ttl=60))
            return cache.get([f"{key}{number}"])[0]

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(round_trip, range(200))) == [b"%d" % number for number in range(200)]

    def test_ping(self, cache: Cache) -> None:
        cache.ping()


class TestMemoryCache:
    def test_the_least_recently_used_is_forgotten_first(self) -> None:
        cache = MemoryCache(max_entries=2)
        cache.put(kept({"a": b"a", "b": b"b"}, ttl=60))
        cache.get(["a"])
        cache.put(kept({"c": b"c"}, ttl=60))
        assert cache.get(["a", "b", "c"]) == [b"a", None, b"c"]

    def test_time_comes_from_its_clock(self) -> None:
        clock = Time()
        cache = MemoryCache(clock=clock)
        cache.put(kept({"a": b"a", "b": b"b"}, ttl=10, groups=("group",)))
        clock.now += 9.9
        assert cache.get(["a"]) == [b"a"]
        clock.now += 0.1
        assert cache.get(["a"]) == [None]
        assert cache.delete("group") == 0


@pytest.fixture
def wire(valkey: Environment) -> Iterator[Wire]:
    address = urlsplit(valkey["CACHE_URL"])
    with Wire(str(address.hostname), int(address.port or 0)) as wire:
        yield wire


def wired(valkey: Environment, wire: Wire, clock: Callable[[], float], *, timeout: float = 0.3) -> ValkeyCache:
    address = urlsplit(valkey["CACHE_URL"])
    login = f"{address.username or ''}:{address.password or ''}@"
    return ValkeyCache(f"redis://{login}{wire.host}:{wire.port}/0", timeout=timeout, clock=clock)


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that answers everything alike; its port."""

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while connection.recv(65_536):
                    connection.sendall(answer)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listener,), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(1)


class Rotated:
    """A secret that somebody else changes."""

    def __init__(self, kept: str) -> None:
        self.kept = kept
        self.known: str | None = None
        self.reads = 0

    def value(self) -> str:
        return self._read() if self.known is None else self.known

    def renewed(self, refused: str) -> str | None:
        return None if self._read() == refused else self.known

    def _read(self) -> str:
        self.reads += 1
        self.known = self.kept
        return self.known


@pytest.fixture
def user(valkey: Environment) -> Iterator[Callable[[str], str]]:
    """A user of the server's, known by a new password at each call, whose connections are closed; its URL."""
    name = f"rotated-{uuid4().hex}"
    address = urlsplit(valkey["CACHE_URL"])
    with Redis.from_url(valkey["CACHE_URL"]) as server:

        def change(password: str) -> str:
            server.execute_command("ACL", "SETUSER", name, "on", "resetpass", f">{password}", "~*", "+@all")
            server.execute_command("CLIENT", "KILL", "USER", name)
            return f"redis://{name}:{password}@{address.hostname}:{address.port}/0"

        yield change
        server.execute_command("ACL", "DELUSER", name)


class TestCacheWhoseUrlIsASecret:
    def test_it_is_read_when_the_cache_is_first_used_and_no_more(self, user: Callable[[str], str], key: str) -> None:
        secret = Rotated(user("one"))
        cache = ValkeyCache(secret, timeout=5)
        cache.close()
        assert secret.reads == 0
        cache.put(kept({key: b"value"}, ttl=60))
        assert cache.get([key]) == [b"value"]
        assert secret.reads == 1
        cache.close()

    @pytest.mark.parametrize("call", ["get", "put", "delete", "ping"])
    def test_it_is_read_again_when_the_server_refuses_it(
        self, user: Callable[[str], str], key: str, call: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = Rotated(user("one"))
        cache = ValkeyCache(secret, timeout=5)
        entries = kept({key: b"value"}, ttl=60, groups=(f"{key}group",))
        cache.put(entries)
        secret.kept = user("two")
        calls: dict[str, Callable[[], object]] = {
            "get": lambda: cache.get([key]),
            "put": lambda: cache.put(entries),
            "delete": lambda: cache.delete(f"{key}group"),
            "ping": cache.ping,
        }
        answers = {"get": [b"value"], "delete": 1}
        assert calls[call]() == answers.get(call)
        assert secret.reads == 2
        assert not caplog.records, "nobody notices"
        cache.close()

    def test_one_that_stays_wrong_is_an_empty_cache(
        self, user: Callable[[str], str], key: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = Rotated(user("one"))
        user("two")
        cache = ValkeyCache(secret, timeout=5)
        assert cache.get([key]) == [None]
        with pytest.raises(Unavailable):
            cache.ping()
        assert "AuthenticationError" in caplog.text
        assert ":one@" not in caplog.text
        cache.close()

    def test_what_is_no_url_is_named_and_not_quoted(self, key: str, caplog: pytest.LogCaptureFixture) -> None:
        cache = ValkeyCache(Rotated("a password alone"))
        assert cache.get([key]) == [None]
        with pytest.raises(Unavailable, match="holds no URL") as caught:
            cache.ping()
        assert caught.value.extra == {"dependency": "valkey"}
        assert "password alone" not in caplog.text

    def test_one_that_cannot_be_read_is_an_empty_cache(self, key: str) -> None:
        class Unread(Rotated):
            def value(self) -> str:
                raise Unavailable(dependency="secrets")

        cache = ValkeyCache(Unread(""))
        assert cache.get([key]) == [None]
        with pytest.raises(Unavailable) as caught:
            cache.ping()
        assert caught.value.extra == {"dependency": "secrets"}


class TestValkeyCache:
    def test_one_round_trip_each(self, valkey: Environment, wire: Wire, key: str) -> None:
        cache = wired(valkey, wire, Time())
        cache.ping()
        keys = [f"{key}{n}" for n in range(20)]
        entries = kept(dict.fromkeys(keys, b"x"), ttl=60, groups=(f"{key}all", f"{key}some"))
        for call in (lambda: cache.put(entries), lambda: cache.get(keys)):
            before = wire.sent
            call()
            assert wire.sent == before + 1

    def test_a_group_holds_what_lives_and_ends_with_the_last_of_it(self, valkey: Environment, key: str) -> None:
        wall = Time()
        cache = ValkeyCache(valkey["CACHE_URL"], timeout=5, wall_clock=wall)
        for number, ttl in enumerate([300, 100, 200]):
            cache.put(kept({f"{key}{number}": b""}, ttl=ttl, groups=(f"{key}all", key)))
        with Redis.from_url(valkey["CACHE_URL"]) as server:
            assert server.zcard(f"group:{key}") == 3
            assert 290 < int(server.ttl(f"group:{key}")) <= 300
            assert 290 < int(server.ttl(f"group:{key}all")) <= 300
            wall.now += 150
            cache.put(kept({f"{key}3": b""}, ttl=10, groups=(key,)))
            assert server.zcard(f"group:{key}") == 3
            assert cache.delete(key) == 3
            assert server.exists(f"group:{key}") == 0

    def test_a_deletion_looks_at_its_own_group_only(self, valkey: Environment, wire: Wire, key: str) -> None:
        cache = wired(valkey, wire, Time(), timeout=5)
        cache.put(kept({f"{key}{n}": b"" for n in range(3_000)}, ttl=60))
        cache.put(kept({f"{key}mine": b""}, ttl=60, groups=(key,)))
        before = wire.sent
        assert cache.delete(key) == 1
        assert wire.sent == before + 3

    def test_a_restart_costs_nothing(self, valkey: Environment, wire: Wire, key: str) -> None:
        cache = wired(valkey, wire, Time())
        cache.put(kept({key: b"value"}, ttl=60))
        wire.cut()
        wire.mend()
        assert cache.get([key]) == [b"value"]

    def test_a_dead_cache_is_an_empty_one_that_is_left_alone_for_a_while(
        self, valkey: Environment, wire: Wire, key: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Time()
        cache = wired(valkey, wire, clock)
        cache.put(kept({key: b"value"}, ttl=60))
        wire.cut()
        assert cache.get([key]) == [None]
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        wire.mend()
        cache.put(kept({key: b"other"}, ttl=60))
        assert cache.get([key, key]) == [None, None]
        assert cache.delete(key) == 0
        clock.now += valkey_cache.PAUSE_SECONDS
        assert cache.get([key]) == [b"value"]
        assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1

    @pytest.mark.serial
    def test_a_hanging_cache_costs_one_timeout_and_then_none(self, valkey: Environment, wire: Wire, key: str) -> None:
        cache = wired(valkey, wire, Time())
        cache.put(kept({key: b"value"}, ttl=60))
        wire.silence()
        began = time.monotonic()
        assert cache.get([key]) == [None]
        first = time.monotonic() - began
        for _ in range(100):
            cache.get([key])
            cache.put(kept({key: b"value"}, ttl=60))
            cache.delete(key)
        assert 0.25 < first < 5
        assert time.monotonic() - began < first + 10

    def test_after_the_pause_one_request_tries_it_for_all(self, valkey: Environment, wire: Wire, key: str) -> None:
        clock = Time()
        cache = wired(valkey, wire, clock, timeout=1)
        wire.silence()
        cache.get([key])
        clock.now += valkey_cache.PAUSE_SECONDS
        with ThreadPoolExecutor(8) as pool:
            began = time.monotonic()
            waited = list(pool.map(lambda _: (cache.get([key]), time.monotonic() - began)[1], range(8)))
        assert sum(seconds > 0.9 for seconds in waited) == 1

    def test_ping_tells_the_truth_and_ends_the_pause(self, valkey: Environment, wire: Wire, key: str) -> None:
        cache = wired(valkey, wire, Time())
        cache.put(kept({key: b"value"}, ttl=60))
        wire.cut()
        with pytest.raises(Unavailable) as caught:
            cache.ping()
        assert caught.value.extra == {"dependency": "valkey"}
        assert cache.get([key]) == [None]
        wire.mend()
        cache.ping()
        assert cache.get([key]) == [b"value"]

    def test_a_connection_after_a_timeout_gives_no_one_elses_answer(
        self, valkey: Environment, wire: Wire, key: str
    ) -> None:
        clock = Time()
        cache = wired(valkey, wire, clock)
        cache.put(kept({f"{key}a": b"a", f"{key}b": b"b"}, ttl=60))
        wire.silence()
        assert cache.get([f"{key}a"]) == [None]
        wire.mend()
        clock.now += valkey_cache.PAUSE_SECONDS
        assert cache.get([f"{key}b"]) == [b"b"]

    @pytest.mark.parametrize(
        "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff" * 99, b"$5\r\n", b":1\r\n", b"*-1\r\n"]
    )
    def test_a_server_that_speaks_something_else_is_an_empty_cache(self, answer: bytes) -> None:
        with answering(answer) as port:
            cache = ValkeyCache(f"redis://127.0.0.1:{port}", timeout=0.2)
            cache.put(kept({"a": b"a"}, ttl=60))
            assert cache.get(["a", "b"]) == [None, None]
            assert cache.delete("a") == 0

    @pytest.mark.parametrize("failing", ["wrong password", "wrong type"])
    def test_a_refusal_is_an_empty_cache(self, valkey: Environment, key: str, failing: str) -> None:
        url = valkey["CACHE_URL"]
        metrics = MemoryMetrics()
        if failing == "wrong password":
            cache = ValkeyCache(url.replace("redis://:", "redis://:x"), metrics=metrics)
        else:
            server = Redis.from_url(url)
            server.lpush(key, b"a list")
            server.close()
            cache = ValkeyCache(url, metrics=metrics)
        assert cache.get([key]) == [None]
        labels = (("dependency", "valkey"), ("kind", "unavailable"))
        assert metrics.counts == {("rag_dependency_failures_total", labels): 1}
