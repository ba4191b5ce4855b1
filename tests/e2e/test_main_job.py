"""The main job on real Postgres, Valkey, Milvus, S3, SQS and models: upload, ingest, search, delete."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from sqlalchemy import event, func, select

from modulo.adapters.postgres.tables import metadata as tables
from modulo.cli.serve import composed
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.files.stored_object import StoredTotals
from modulo.domain.operations.dead_letter import DeadLetterQuery, OperatorDeadLetter
from modulo.domain.operations.messages import IngestRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.runtime.admin.keys import create_key
from modulo.runtime.admin.tenants import delete_tenant
from modulo.runtime.auth import authenticate
from modulo.runtime.threads import use_threads
from modulo.runtime.worker import work
from modulo.services import Services, install
from modulo.settings import Settings
from modulo.usecases.cache_keys import collection_prefix
from tests import documents
from tests.doubles.memory_metrics import MemoryMetrics

PATIENCE_SECONDS = 120
LIGHTHOUSE = "The lighthouse of Tarnby was built in 1868. It is 41 metres tall and has 212 steps."


@pytest.fixture(scope="module")
def product(
    postgres: dict[str, str],
    valkey: dict[str, str],
    milvus: dict[str, str],
    cloud: dict[str, str],
    models: dict[str, str],
) -> Iterator[Services]:
    """The product of this module, with a worker beside it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**postgres, **valkey, **milvus, **cloud, **models, "RETRY_BASE_SECONDS": "1"}.items():
            patch.setenv(name, value)
        made = Services(Settings(sqlalchemy_pool_size=5))
        made.metrics = MemoryMetrics()
        made.migrate()
        install(made)
        stop = threading.Event()
        worker = threading.Thread(target=work, args=(["ingest_file", "purge", "record_dead_letter", "sweep"], stop))
        worker.start()
        yield made
        stop.set()
        worker.join(timeout=60)
        made.close()
        install(None)


class Client:
    """One user's view of the API."""

    def __init__(self, http: httpx.Client, tenant: str, user: str = "ada") -> None:
        self.key = create_key(tenant, user, "e2e")
        self._http = http
        self._headers = {"authorization": f"Bearer {self.key}"}

    def __call__(self, method: str, path: str, status: int, **options: Any) -> Any:
        reply = self._http.request(method, f"/api{path}", headers=self._headers, follow_redirects=False, **options)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    def create(self, name: str = "papers", **more: Any) -> str:
        return str(self("POST", "/collections", 201, json={"name": name, **more})["id"])

    def upload(self, collection: str, name: str, content: bytes | str) -> str:
        """Upload a file of its own, whatever others hold; its id."""
        path = f"/collections/{collection}/files?on_duplicate=new"
        return str(self("POST", path, 202, files={"file": (name, content)})["file_id"])

    def file(self, collection: str, file: str) -> Any:
        return self("GET", f"/collections/{collection}/files/{file}", 200)

    def finished(self, collection: str, file: str) -> Any:
        return until(lambda: (found := self.file(collection, file))["stage"] in {"ready", "failed"} and found)

    def ask(self, collection: str, question: str, **config: Any) -> Any:
        body = {"question": question, "collection_id": collection, "config_metadata": config}
        return self("POST", "/search", 200, json=body)


def until(condition: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < give_up, "it took too long"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def http(product: Services) -> Iterator[httpx.Client]:
    """The composed server, as `modulo serve` runs it, on a port of its own."""
    use_threads(8)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(composed(), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
            yield client
        server.should_exit = True
        thread.join(timeout=60)
    use_threads(None)


@pytest.fixture
def ada(http: httpx.Client) -> Client:
    return Client(http, f"tenant-{uuid4()}")


READABLE = {
    "report.pdf": documents.pdf(),
    "report.docx": documents.word(),
    "slides.pptx": documents.slides(),
    "book.xlsx": documents.workbook(),
    "page.html": documents.HTML.encode(),
    "notes.md": documents.MARKDOWN.encode(),
    "sales.csv": "\n".join(",".join(f'"{cell}"' for cell in row) for row in documents.ROWS).encode(),
    "lighthouse.txt": LIGHTHOUSE.encode(),
}
UNREADABLE = {
    "blank.txt": (b" \n\t\n ", "empty-file"),
    "empty.pdf": (documents.empty_pdf(), "empty-file"),
    "locked.pdf": (documents.pdf(password="x"), "encrypted-file"),
    "cut.pdf": (documents.without_end(documents.pdf()), "corrupt-file"),
    "scan.pdf": (documents.scanned_pdf(), "scanned-file"),
    "cut.docx": (documents.without_end(documents.word()), "corrupt-file"),
    "bomb.docx": (documents.zip_bomb(), "oversized-file"),
}


def test_every_format_becomes_ready_and_is_found(ada: Client) -> None:
    collection = ada.create()
    files = {name: ada.upload(collection, name, content) for name, content in READABLE.items()}
    for name, file in files.items():
        found = ada.finished(collection, file)
        assert (name, found["stage"], found.get("problem")) == (name, "ready", None)
        assert found["chunk_count"] >= 1
    assert ada("GET", f"/collections/{collection}", 200)["status"] == "completed"
    for name, file in files.items():
        only = ada.ask(
            collection, "Which regions, rivers or people?", filters={"document_id": file}, retrieve_only=True
        )
        assert {result["chunk"]["metadata"]["source"] for result in only["query_results"]} == {name}
    answer = ada.ask(collection, "How tall is the lighthouse?")
    assert "41 metres" in answer["answer"]
    assert answer["citations"][0]["title"] == "lighthouse.txt"
    assert answer["citations"][0]["excerpt"] in LIGHTHOUSE
    cited = ada.ask(collection, "When did the committee approve the budget?", filters={"source": "report.pdf"})
    assert cited["documents"][0]["author"] == documents.AUTHOR
    assert cited["documents"][0]["total_pages"] >= 2
    assert cited["query_results"][0]["chunk"]["metadata"]["page_number"] >= 1


def test_an_archive_becomes_files_and_goes_with_them(ada: Client) -> None:
    collection = ada.create()
    parts = [
        ("guides/lighthouse.txt", LIGHTHOUSE.encode()),
        ("report.docx", documents.word()),
        ("a.png", documents.png()),
    ]
    archive = ada.finished(collection, ada.upload(collection, "guides.zip", documents.zipped(parts)))
    assert (archive["stage"], archive["document"]["files"]) == ("ready", 2)
    assert [item["path"] for item in archive["document"]["left_out"]] == ["a.png"]
    listed = {item["name"]: item["id"] for item in ada("GET", f"/collections/{collection}/files", 200)["items"]}
    assert set(listed) == {"guides.zip", "guides.zip/guides/lighthouse.txt", "guides.zip/report.docx"}
    assert {ada.finished(collection, file)["stage"] for file in listed.values()} == {"ready"}
    answer = ada.ask(collection, "How tall is the lighthouse?")
    assert answer["citations"][0]["title"] == "guides.zip/guides/lighthouse.txt"
    ada("DELETE", f"/collections/{collection}/files/{archive['id']}", 202)
    assert ada("GET", f"/collections/{collection}/files", 200)["items"] == []


def test_what_cannot_be_read_fails_with_its_reason_and_spoils_nothing(ada: Client) -> None:
    collection = ada.create()
    good = ada.upload(collection, "good.txt", LIGHTHOUSE)
    bad = {name: ada.upload(collection, name, content) for name, (content, _) in UNREADABLE.items()}
    for name, file in bad.items():
        found = ada.finished(collection, file)
        assert (name, found["stage"], found["problem"]["code"]) == (name, "failed", UNREADABLE[name][1])
        assert found["problem"]["retryable"] is False
        assert found["problem"]["detail"]
    assert ada.finished(collection, good)["stage"] == "ready"
    assert ada("GET", f"/collections/{collection}", 200)["status"] == "completed"
    usage = ada("GET", "/usage", 200)
    assert usage["storage_bytes"] == len(LIGHTHOUSE)


def test_a_form_uploads_exactly_what_was_announced(ada: Client) -> None:
    collection = ada.create()
    content = LIGHTHOUSE.encode()
    body = {"name": "big.txt", "size_bytes": len(content), "checksum_sha256": hashlib.sha256(content).hexdigest()}
    ticket = ada("POST", f"/collections/{collection}/uploads", 201, json=body)
    form = ticket["upload"]
    assert send(form, content + b"!").status_code >= 400
    assert send({**form, "fields": {**form["fields"], "key": "tenants/other"}}, content).status_code >= 400
    assert ada.file(collection, ticket["file_id"])["stage"] == "awaiting_upload"
    assert send(form, content).status_code in {200, 201, 204}
    assert ada.finished(collection, ticket["file_id"])["stage"] == "ready"
    location = ada("GET", f"/collections/{collection}/files/{ticket['file_id']}/content", 307)["url"]
    fetched = httpx.get(location, timeout=60)
    assert fetched.content == content
    assert "big.txt" in fetched.headers["content-disposition"]


def send(form: dict[str, Any], content: bytes) -> httpx.Response:
    return httpx.post(form["url"], data=form["fields"], files={"file": ("file", content)}, timeout=60)


def test_a_new_generation_replaces_the_old_one(ada: Client, product: Services) -> None:
    collection = ada.create()
    first = ada.upload(collection, "launch.txt", "The launch is on Monday.")
    ada.finished(collection, first)
    assert "Monday" in ada.ask(collection, "When is the launch?")["answer"]
    assert ada.upload(collection, "launch.txt", "The launch is on Friday.") == first
    until(lambda: ada.file(collection, first)["live_generation"] == 2)
    found = ada.ask(collection, "When is the launch?")
    assert [result["chunk"]["text"] for result in found["query_results"]] == ["The launch is on Friday."]
    space = product.grants.grant(authenticate(ada.key, services=product), UUID(collection)).space
    until(lambda: product.vectors.count(space, file_id=UUID(first)) == 1)


class Broken:
    """An embedder that is down."""

    def embed(self, *_: Any) -> Any:
        raise Unavailable("The embedder does not answer.", dependency="embedder")


def test_what_is_given_up_becomes_letters_that_are_listed_retried_and_discarded(
    ada: Client, product: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = ada.create()
    path = f"/collections/{collection}/dead-letters"
    working = product.embedder
    monkeypatch.setattr(product, "embedder", Broken())
    files = [ada.upload(collection, name, f"{name}: {LIGHTHOUSE}") for name in ("saved.txt", "thrown.txt")]
    poison = f"poison {uuid4()}"
    product.ingests.send({poison: True})

    def nobodys() -> list[OperatorDeadLetter]:
        page = product.dead_letters.list_all_dead_letters(DeadLetterQuery(99))
        return [letter for letter in page.items if poison in letter.body]

    until(lambda: len(ada("GET", path, 200)["items"]) == 2 and nobodys())
    letters = {letter["name"]: letter for letter in ada("GET", path, 200)["items"]}
    assert {letter["file_id"] for letter in letters.values()} == set(files)
    for letter in letters.values():
        assert (letter["function"], letter["state"], letter["attempts"]) == ("ingest_file", "waiting", 4)
        assert (letter["problem"]["code"], letter["problem"]["retryable"]) == ("unavailable", True)
        assert letter["sent_at"] < letter["buried_at"]
    [unreadable] = nobodys()
    assert (unreadable.tenant_id, unreadable.function) == (None, "ingest_file")
    assert (unreadable.problem.code, unreadable.problem.retryable) == ("unreadable-message", False)
    ada("DELETE", f"{path}/{letters['thrown.txt']['id']}", 204)
    monkeypatch.setattr(product, "embedder", working)
    assert [letter["name"] for letter in ada("POST", f"{path}/retry", 202)["items"]] == ["saved.txt"]
    until(lambda: ada.file(collection, files[0])["stage"] == "ready")
    assert [letter["state"] for letter in ada("GET", path, 200)["items"]] == ["closed"]
    ada("POST", f"{path}/{letters['saved.txt']['id']}/retry", 409)
    assert ada.file(collection, files[1])["stage"] == "failed"
    assert product.dead_letters.discard_dead_letters(None, [unreadable.id]) == 1
    assert nobodys() == []


def test_known_bytes_are_not_taken_again_and_known_passages_not_embedded_again(ada: Client, product: Services) -> None:
    collection = ada.create()
    files = f"/collections/{collection}/files"
    first = ada.upload(collection, "a.md", LIGHTHOUSE)
    ada.finished(collection, first)
    again = ada("POST", files, 200, files={"file": ("b.md", LIGHTHOUSE)}, params={"on_duplicate": "alias"})
    assert (again["file_id"], again["status"], again["duplicate_of"]) == (first, "ready", "a.md")
    found = ada.ask(collection, "How tall is the lighthouse?", filters={"source": "b.md"}, retrieve_only=True)
    assert {one["document_name"] for one in found["documents"]} == {"a.md"}
    ada("DELETE", f"{files}/{first}/aliases/b.md", 204)

    metrics = cast(MemoryMetrics, product.metrics)
    hits = ("rag_cache_hits_total", (("kind", "chunk"),))
    ships = " ".join(f"Ship number {number} passed the lighthouse at noon." for number in range(60))
    for generation, hour in enumerate(["noon", "one"], start=2):
        before = metrics.counts[hits]
        ada.upload(collection, "a.md", f"# Ships\n\n{ships}\n\n# The vault\n\nIt opens at {hour}.")
        until(lambda: ada.file(collection, first)["live_generation"] == generation)  # noqa: B023 - run at once
    known = metrics.counts[hits] - before
    assert known == ada.file(collection, first)["chunk_count"] - 1 > 2


def test_a_redrive_of_what_is_ready_replaced_or_deleted_changes_nothing(
    ada: Client, product: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = ada.create()
    tenant = authenticate(ada.key, services=product).tenant_id
    ready, deleted = (ada.upload(collection, name, f"{name}: {LIGHTHOUSE}") for name in ("ready.txt", "deleted.txt"))
    for file in (ready, deleted):
        ada.finished(collection, file)
    ada.upload(collection, "ready.txt", f"Again: {LIGHTHOUSE}")
    until(lambda: ada.file(collection, ready)["live_generation"] == 2)
    ada("DELETE", f"/collections/{collection}/files/{deleted}", 202)
    until(lambda: product.purging.find_purge(tenant, UUID(collection), UUID(deleted)) is None)
    before, count = ada.file(collection, ready), ada("GET", "/usage", 200)
    refs = [FileRef(tenant, UUID(collection), UUID(ready), number) for number in (1, 2)]
    gone = FileRef(tenant, UUID(collection), UUID(deleted), 1)
    asked: set[tuple[str, FileRef | UUID]] = set()

    def watched(port: object, name: str, which: int) -> None:
        method = getattr(port, name)

        def called(*given: Any, **named: Any) -> Any:
            found = method(*given, **named)
            asked.add((name, given[which]))
            return found

        monkeypatch.setattr(port, name, called)

    watched(product.blobs, "info", 0)
    watched(product.ingestion, "claim", 0)
    watched(product.purging, "find_purge", 2)
    for ref in (*refs, gone):
        product.ingests.send(IngestRequest(ref).body())
        product.purges.send(PurgeRequest(tenant, ref.collection_id, ref.file_id).body())
    handled = {
        ("info", refs[0]),
        ("claim", refs[1]),
        ("info", gone),
        ("find_purge", UUID(ready)),
        ("find_purge", gone.file_id),
    }
    until(lambda: handled <= asked)
    assert (ada.file(collection, ready), ada("GET", "/usage", 200)) == (before, count)
    assert ada("GET", f"/collections/{collection}/dead-letters", 200)["items"] == []
    space = product.grants.grant(authenticate(ada.key, services=product), UUID(collection)).space
    assert product.vectors.count(space) == 1


@pytest.mark.parametrize("dedicated", [False, True], ids=["shared", "dedicated"])
def test_deletion_is_invisible_at_once_and_proven_soon(ada: Client, product: Services, dedicated: bool) -> None:
    collection = ada.create(dedicated=dedicated)
    file = ada.upload(collection, "lighthouse.txt", LIGHTHOUSE)
    ada.finished(collection, file)
    principal = authenticate(ada.key, services=product)
    space = product.grants.grant(principal, UUID(collection)).space
    ref = FileRef(principal.tenant_id, UUID(collection), UUID(file), 1)
    assert ada.ask(collection, "How tall is the lighthouse?")["metadata"]["found"] is True
    assert product.vectors.count(space, file_id=ref.file_id) == 1
    receipt = ada("DELETE", f"/collections/{collection}/files/{file}", 202)["deletion_id"]
    gone = ada.ask(collection, "How tall is the lighthouse?")
    assert (gone["answer"], gone["query_results"]) == (NOT_FOUND, [])
    until(lambda: product.purging.find_purge(ref.tenant_id, ref.collection_id, ref.file_id) is None)
    assert product.vectors.count(space, file_id=ref.file_id) == 0
    assert product.blobs.info(ref) is None
    assert ada("GET", "/usage", 200)["storage_bytes"] == 0
    told = ada("GET", f"/deletions/{receipt}", 200)
    assert (told["state"], told["name"], told["requested_by"]) == ("completed", "lighthouse.txt", str(space.owner_id))
    assert told["removed"].pop("cached_entries") >= 3  # what two searches kept and the vector of a text
    assert told["removed"] == {
        "vectors": {space.name: 1},
        "objects": 1,
        "object_bytes": len(LIGHTHOUSE),
        "rows": {},
        "storage_bytes": len(LIGHTHOUSE),
    }
    assert told["proof"]["vectors"] == {space.name: 0}
    assert told["requested_at"] < told["started_at"] <= told["proof"]["checked_at"] <= told["completed_at"]
    ada.finished(collection, ada.upload(collection, "again.txt", LIGHTHOUSE))
    receipt = ada("DELETE", f"/collections/{collection}", 202)["deletion_id"]
    ada("GET", f"/collections/{collection}", 404)
    until(lambda: ada("GET", f"/deletions/{receipt}", 200)["state"] == "completed")
    assert product.vectors.count(space) == 0
    assert product.blobs.count(ref.tenant_id, f"tenants/{ref.tenant_id}/") == StoredTotals(0, 0)
    assert product.cache.delete(collection_prefix(ref.tenant_id, ref.collection_id)) == 0
    whole, of_file = ada("GET", "/deletions", 200)["items"]
    assert (whole["id"], of_file["id"], of_file["proof"]) == (receipt, told["id"], told["proof"])
    assert (whole["removed"]["vectors"], whole["removed"]["objects"]) == ({space.name: 1}, 1)
    assert LIGHTHOUSE not in str((whole, of_file))


def test_a_deleted_tenant_leaves_one_receipt_and_nothing_else(ada: Client, product: Services) -> None:
    principal = authenticate(ada.key, services=product)
    tenant, spaces = principal.tenant_id, []
    for dedicated in (False, True):
        collection = ada.create(f"dedicated {dedicated}", dedicated=dedicated)
        ada.finished(collection, ada.upload(collection, "lighthouse.txt", LIGHTHOUSE))
        assert ada.ask(collection, "How tall is the lighthouse?")["metadata"]["found"] is True
        spaces.append(product.grants.grant(principal, UUID(collection)).space)
    receipt = delete_tenant(tenant)
    until(lambda: (found := product.deletions.find_deletion(tenant, receipt)) and found.completed_at)
    told = product.deletions.find_deletion(tenant, receipt)
    assert told is not None
    assert told.removed.vectors == {space.name: 1 for space in spaces}
    assert (told.removed.objects, told.removed.object_bytes) == (2, 2 * len(LIGHTHOUSE))
    assert told.removed.storage_bytes == 2 * len(LIGHTHOUSE)
    assert {name: told.removed.rows[name] for name in ("collections", "files", "users", "api_keys")} == {
        "collections": 2,
        "files": 2,
        "users": 1,
        "api_keys": 1,
    }
    assert [product.vectors.count(space) for space in spaces] == [0, 0]
    assert product.blobs.count(tenant, f"tenants/{tenant}/") == StoredTotals(0, 0)
    for space in spaces:
        assert product.cache.delete(collection_prefix(tenant, space.collection_id)) == 0
    with product.database.writer.connect() as connection:
        left = {
            table.name: connection.execute(select(func.count()).where(table.c.tenant_id == tenant)).scalar_one()
            for table in tables.sorted_tables
            if "tenant_id" in table.c
        }
    assert {name: rows for name, rows in left.items() if rows} == {"deletions": 1}
    product.known_keys.clear()  # as after API_KEY_CACHE_SECONDS
    ada("GET", "/collections", 401)


def test_tenants_with_the_same_words_stay_apart(http: httpx.Client) -> None:
    clients = [Client(http, f"tenant-{uuid4()}") for _ in range(2)]
    secrets = ["The vault code of the first is 1111.", "The vault code of the second is 2222."]
    collections = []
    for client, secret in zip(clients, secrets, strict=True):
        collections.append(client.create())
        client.finished(collections[-1], client.upload(collections[-1], "vault.txt", secret))
    for client, own, secret in zip(clients, collections, secrets, strict=True):
        found = client.ask(own, "What is the vault code?")
        assert [result["chunk"]["text"] for result in found["query_results"]] == [secret]
    body = {"question": "What is the vault code?", "collection_id": collections[1]}
    clients[0]("POST", "/search", 404, json=body)


def test_a_search_costs_what_it_says(ada: Client, product: Services) -> None:
    """One statement, cached or not, whatever else there is; one Milvus call; the key is known."""
    collection = ada.create()
    for number in range(3):
        ada.finished(collection, ada.upload(collection, f"f{number}.txt", f"Fact {number}: {LIGHTHOUSE}"))
    until(lambda: ada.ask(collection, "warm up")["metadata"]["cached"])  # so the grant is remembered, too
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    engine = product.database.writer
    event.listen(engine, "before_cursor_execute", note)
    try:
        ada.ask(collection, "How tall is the lighthouse?")
        uncached = len(statements)

        def again() -> bool:  # a result is remembered once its answer is out
            statements.clear()
            return bool(ada.ask(collection, "How tall is the lighthouse?")["metadata"]["cached"])

        until(again)
        cached = len(statements)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert (uncached, cached) == (1, 1)


def test_a_language_model_is_one_setting_away(ada: Client, product: Services, llm: dict[str, str]) -> None:
    collection = ada.create()
    ada.finished(collection, ada.upload(collection, "lighthouse.txt", LIGHTHOUSE))
    extractive = vars(product).pop("generator", None)
    before, product.settings = product.settings, Settings(sqlalchemy_pool_size=5, **lowered(llm))
    try:
        found = ada.ask(collection, "How tall is the lighthouse of Tarnby?")
    finally:
        product.settings = before
        vars(product).pop("generator").close()
        if extractive is not None:
            product.generator = extractive
    assert found["metadata"]["generator"].startswith("openai:")
    assert found["metadata"]["tokens_used"] > 0
    assert found["metadata"]["found"] is bool(found["citations"])
    usage = ada("GET", "/usage", 200)
    assert (usage["tokens_used"], usage["tokens_reserved"]) == (found["metadata"]["tokens_used"], 0)


def lowered(environment: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in environment.items()}


def test_everything_is_healthy(http: httpx.Client, ada: Client) -> None:
    health = ada("GET", "/health", 200)
    assert health["status"] == "ok", health
    assert health["dependencies"]
    assert http.get("/api/health").json().keys() == {"status", "version"}
