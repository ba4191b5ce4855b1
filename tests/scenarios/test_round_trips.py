"""How often a search speaks to each store, counted on the real ones: the same however much they hold."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from redis.client import Pipeline
from sqlalchemy import event, text

from modulo.adapters.milvus.connection import MilvusConnection
from modulo.adapters.postgres.engine import transaction
from modulo.adapters.postgres.pipelined_connection import WireConnection
from modulo.adapters.system_clock import SystemClock
from modulo.domain.answers.answer import AnswerDraft, Prompt, TokenUsage
from modulo.services import Services, install
from modulo.settings import Settings
from tests.conftest import Environment
from tests.doubles.doubled_services import doubled_services
from tests.functions.conftest import LOOP, Api, as_user, ingest
from tests.functions.test_doors import ANSWERS, ask_door

UNCACHED = {"statements": 1, "sql": 1, "valkey": 2, "milvus": 2}
"""Permission, live documents and tokens at once; one look into the cache and one exchange to fill it; one query."""
FIRST = UNCACHED | {"statements": 2, "sql": 2}
"""Permission by itself, where the cache does not know of any, or knows an answer that may no longer hold."""
FILTERED = UNCACHED | {"statements": 2, "sql": 2}
"""The files that meet a filter on documents are looked up."""
METERED = UNCACHED | {"statements": 2, "sql": 2}
"""The tokens of an answer are settled behind it."""
CACHED = {"statements": 1, "sql": 1, "valkey": 1}
TENANTS, FILES = 200, 3_000


@pytest.fixture(scope="module")
def services(postgres: Environment, valkey: Environment, milvus: Environment) -> Iterator[Services]:
    given = {name.lower(): value for name, value in {**postgres, **valkey, **milvus}.items()}
    settings = Settings.model_validate({**given, "blobs_bucket": "uploads", "api_key_cache_seconds": 3_600})
    made = doubled_services(settings, SystemClock())
    del made.cache, made.vectors  # these are the real ones
    asyncio.set_event_loop(LOOP)
    install(made)
    made.migrate()
    yield made
    made.close()
    install(None)


@pytest.fixture(scope="module")
def api(services: Services) -> Api:
    return as_user(f"ada {uuid4()}")


@pytest.fixture(scope="module")
def collection(api: Api) -> str:
    """A collection with one ingested file."""
    made = api.create_collection(f"papers {uuid4()}")
    receipt = api.upload(made, "The vault opens at noon. The bakery opens at six. Rain falls on the plain.")
    assert ingest(api, made, receipt) == []
    return made


class Trips(Counter[str]):
    """What went to each store since the last look: SQL statements and round trips, cache exchanges, vector calls."""

    def taken(self) -> dict[str, int]:
        counted = dict(self)
        self.clear()
        return counted


@pytest.fixture
def trips(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trips]:
    found = Trips()

    def counting(owner: type, method: str, what: str) -> None:
        before = getattr(owner, method)

        def counted(*args: Any, **options: Any) -> Any:
            found[what] += 1
            return before(*args, **options)

        monkeypatch.setattr(owner, method, counted)

    counting(WireConnection, "handle_messages", "sql")
    counting(Pipeline, "execute", "valkey")
    counting(MilvusConnection, "call", "milvus")

    def note(*_: object) -> None:
        found["statements"] += 1

    pool = services.database.writer  # type: ignore[attr-defined]
    event.listen(pool, "before_cursor_execute", note)
    yield found
    event.remove(pool, "before_cursor_execute", note)


def ask(api: Api, collection: str, question: str, **config: Any) -> dict[str, Any]:
    body = {"question": question, "collection_id": collection, "config_metadata": config}
    reply = api("POST", "/search", json=body)
    assert reply.status == 200, reply.text
    found: dict[str, Any] = reply.json
    assert found["query_results"]
    return found


def test_a_search_and_its_repetition(api: Api, collection: str, trips: Trips) -> None:
    ask(api, collection, "When does the bakery open?")  # opens connections
    trips.clear()
    question = f"When does the vault open, {uuid4()}?"
    for config in ({"retrieve_only": True}, {}):
        assert ask(api, collection, question, **config)["metadata"]["cached"] is False
        assert trips.taken() == UNCACHED
        assert ask(api, collection, question, **config)["metadata"]["cached"] is True
        assert trips.taken() == CACHED


@pytest.mark.parametrize("door", ANSWERS)
def test_no_door_adds_any(api: Api, collection: str, services: Services, trips: Trips, door: str) -> None:
    ask(api, collection, "When does the bakery open?")  # opens connections
    trips.clear()
    question = f"When does the vault open, {uuid4()}?"
    for expected in (UNCACHED, CACHED):
        ask_door(api, door, collection, question)
        assert trips.taken() == expected


def test_a_model_that_is_named_is_looked_up(api: Api, trips: Trips) -> None:
    name = f"named {uuid4()}"
    made = api.create_collection(name)
    assert ingest(api, made, api.upload(made, "The vault opens at noon.")) == []
    ask(api, made, f"When does the vault open, {uuid4()}?")
    trips.clear()
    for door in ("/v1/chat/completions", "/v1/responses"):
        ask_door(api, door, f"modulo/{name}", f"When does the vault open, {uuid4()}?")
        assert trips.taken() == UNCACHED | {"statements": 2, "sql": 2}


def test_what_is_published_meanwhile_adds_one_to_a_question_asked_before(
    api: Api, collection: str, trips: Trips
) -> None:
    ask(api, collection, question := f"When does rain fall, {uuid4()}?")
    assert ingest(api, collection, api.upload(collection, "Snow falls on the hill.", f"{uuid4()}.txt")) == []
    trips.clear()
    ask(api, collection, f"Where does snow fall, {uuid4()}?")
    assert trips.taken() == UNCACHED
    ask(api, collection, question)
    assert trips.taken() == FIRST


def test_each_part_of_a_question_asks_milvus(api: Api, collection: str, trips: Trips) -> None:
    question = f"When does the vault open, {uuid4()} and when does the bakery open?"
    found = ask(api, collection, question, cot_enabled=True)
    steps = len(found["cot_output"]["reasoning_steps"])
    assert trips.taken() == UNCACHED | {"milvus": 2 * steps}


class Metered:
    name = "test:metered"

    def reserve(self, prompt: Prompt) -> int:
        return 100

    def generate(self, prompt: Prompt) -> AnswerDraft:
        return AnswerDraft("The vault opens at noon [1].", TokenUsage(40, 10))


def test_a_metered_answer_reserves_and_settles_its_tokens(
    api: Api, collection: str, services: Services, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "generator", Metered())
    before = api("GET", "/usage").json["tokens_used"]
    trips.clear()
    ask(api, collection, f"When does the vault open, {uuid4()}?")
    assert trips.taken() == METERED
    assert api("GET", "/usage").json["tokens_used"] == before + 50


def test_a_user_s_first_search_asks_what_the_user_may(services: Services, trips: Trips) -> None:
    newcomer = as_user(f"new {uuid4()}")
    collection = newcomer.create_collection(f"own {uuid4()}")
    assert ingest(newcomer, collection, newcomer.upload(collection, "The vault opens at noon.")) == []
    trips.clear()
    ask(newcomer, collection, "When does the vault open?")
    assert trips.taken() == FIRST
    ask(newcomer, collection, "Does the vault open?")
    assert trips.taken() == UNCACHED


def test_what_filters_cost(api: Api, collection: str, trips: Trips) -> None:
    """Files that meet a filter on documents are looked up once, until the collection changes."""
    ask(api, collection, f"When does the vault open, {uuid4()}?")
    for filters, counts in (
        ({"page_number": 1, "media_type": "text/plain"}, [UNCACHED, UNCACHED]),
        ({"source": "notes.txt", "language": "en", "created_at": {"gte": "2020", "lt": "2999"}}, [FILTERED, UNCACHED]),
        ({"source": "notes.txt"}, [FILTERED, UNCACHED]),
        ({"department": {"ne": "law"}}, [FILTERED, UNCACHED]),
        ({"type": "or", "filters": [{"source": "notes.txt"}, {"heading": "none"}]}, [UNCACHED, UNCACHED]),
    ):
        for expected in counts:
            trips.clear()
            question = f"When does the vault open, {uuid4()}?"
            ask(api, collection, question, filters=filters)
            assert trips.taken() == expected
            ask(api, collection, question, filters=filters)
            assert trips.taken() == CACHED


def test_neither_tenants_nor_files_add_any(api: Api, collection: str, services: Services, trips: Trips) -> None:
    with transaction(services.database.writer) as connection:  # type: ignore[attr-defined]
        for statement in CROWD:
            connection.execute(text(statement), {"tenants": TENANTS, "files": FILES, "collection": collection})
    trips.clear()
    question = f"Where does rain fall, {uuid4()}?"
    ask(api, collection, question)
    assert trips.taken() == UNCACHED
    ask(api, collection, question)
    assert trips.taken() == CACHED


CROWD = (
    "INSERT INTO tenants (id, name) SELECT gen_random_uuid(), 'crowd' FROM generate_series(1, :tenants)",
    """INSERT INTO users (tenant_id, id, name)
       SELECT id, gen_random_uuid(), 'someone' FROM tenants WHERE name = 'crowd'""",
    """INSERT INTO files (tenant_id, id, collection_id, name, generation, created_by, created_at)
       SELECT tenant_id, gen_random_uuid(), id, 'f' || n, 1, owner_id, now()
       FROM collections, generate_series(1, :files) n WHERE id = CAST(:collection AS uuid)""",
)
