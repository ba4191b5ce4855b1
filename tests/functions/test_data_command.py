"""`modulo data` and exports of tenants: what was backed up comes back, and nothing else gets in."""

import json
import zipfile
from datetime import timedelta
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.worker import function
from tests.doubles.memory_blobs import MemoryBlobs
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_queue import MemoryQueue
from tests.doubles.memory_vectors import MemoryVectors
from tests.functions.conftest import (
    SETTLED,
    DownQueue,
    as_user,
    deliver_queued,
    ingest,
    ref_of,
    upload_failed,
)

TENANT = external_id("modulo", "tenant:acme")
QUESTION = {"question": "When did the archive burn down?"}


def modulo(*command, code=0):
    ended = CliRunner().invoke(app, list(map(str, command)), env=SETTLED)
    assert ended.exit_code == code, ended.output
    return ended.output.strip()


def lose_everything(services, database):
    database.empty()
    lose_stores(services)


def lose_stores(services):
    services.blobs, services.vectors, services.cache = MemoryBlobs(), MemoryVectors(), MemoryCache()
    services.ingests = MemoryQueue()


def chunks_of(api, collection):
    items = api("GET", f"/collections/{collection}/files").json["items"]
    return {item["name"]: (item["stage"], item.get("chunk_count")) for item in items}


def answer(api, collection):
    found = api("POST", "/search", json={**QUESTION, "collection_id": collection})
    assert found.status == 200, found.text
    return found.json["answer"]


@pytest.fixture
def filled(api):
    """Two collections with a ready file each; the first also has a second version of its file, and an attribute."""
    made = []
    for number in range(2):
        collection = api.create_collection(f"c{number}")
        receipt = api.upload(collection, f"The archive burned down in 190{number}. It was dry.", f"fire-{number}.txt")
        assert ingest(api, collection, receipt) == []
        made.append((collection, receipt["file_id"]))
    path = f"/collections/{made[0][0]}/files/{made[0][1]}"
    assert api("PATCH", path, json={"attributes": {"shelf": 3}}).status == 200
    return made


@pytest.fixture
def file(tmp_path):
    return tmp_path / "backup.zip"


def test_a_restored_installation_answers_as_before(api, services, database, filled, file):
    kept = api.keep_file("Kept by its user.")
    api("POST", "/conversations", json={"title": "Fires"})
    before = [(chunks_of(api, one), answer(api, one)) for one, _ in filled]
    assert "rows, 3 objects of 105 bytes" in modulo("data", "backup", file)
    assert file.stat().st_mode & 0o777 == 0o600
    lose_everything(services, database)
    told = modulo("data", "restore", file)
    assert told.startswith("1 tenants with ")
    assert told.endswith("as of 2026-03-14 09:30:00 UTC; 2 files are being embedded anew")
    assert {name: stage for name, (stage, _) in chunks_of(api, filled[0][0]).items()} == {"fire-0.txt": "queued"}
    deliver_queued(services)
    assert [(chunks_of(api, one), answer(api, one)) for one, _ in filled] == before
    shown = api("GET", f"/collections/{filled[0][0]}/files/{filled[0][1]}").json
    assert shown["attributes"] == {"shelf": 3}
    assert services.blobs.count(TENANT, f"tenants/{TENANT}/users/").objects == 1
    assert api("GET", f"/v1/files/{kept}/content").status == 307
    assert [one["title"] for one in api("GET", "/conversations").json["items"]] == ["Fires"]


def test_a_restored_file_can_be_replaced_and_deleted(api, services, database, filled, file):
    modulo("data", "backup", file)
    lose_everything(services, database)
    modulo("data", "restore", file)
    deliver_queued(services)
    (collection, file_id), _ = filled
    again = api.try_upload(collection, "It burned down in 1950.", "fire-0.txt", "new").json
    assert again["file_id"] == file_id
    assert ingest(api, collection, again) == []
    assert "1950" in answer(api, collection)
    assert api("DELETE", f"/collections/{collection}/files/{file_id}").status == 202


def test_what_is_there_is_replaced_only_where_that_is_said(api, services, filled, file):
    modulo("data", "backup", file)
    api.upload(filled[0][0], "Not in the backup.", "later.txt")
    assert "1 of the archive's tenants exist here" in modulo("data", "restore", file, code=1)
    assert set(chunks_of(api, filled[0][0])) == {"fire-0.txt", "later.txt"}
    other = as_user("eve", "other")
    kept = other.create_collection("theirs")
    modulo("data", "restore", file, "--replace")
    deliver_queued(services)
    assert set(chunks_of(api, filled[0][0])) == {"fire-0.txt"}
    assert services.blobs.count(TENANT, f"tenants/{TENANT}/").objects == 2
    assert other("GET", f"/collections/{kept}").status == 200


def test_a_file_deleted_while_the_backup_is_taken_is_deleted_by_the_restore(api, services, database, filled, file):
    (collection, file_id), _ = filled
    real = services.blobs

    class Deleting(MemoryBlobs):
        def open(self, ref, version=None):
            if isinstance(ref, FileRef) and str(ref.file_id) == file_id:
                api("DELETE", f"/collections/{collection}/files/{file_id}")
                real.delete(TENANT, ref.prefix)
            return real.open(ref, version)

    services.blobs = Deleting()
    assert "1 objects" in modulo("data", "backup", file)
    lose_everything(services, database)
    assert "1 files are being" in modulo("data", "restore", file)
    assert chunks_of(api, collection) == {}
    [receipt] = api("GET", "/deletions").json["items"]
    assert receipt["target_id"] == file_id
    assert api("GET", f"/collections/{collection}").json["files"] == {}


def test_a_file_whose_bytes_are_missing_is_told_and_fails(api, services, database, clock, filled, file):
    (collection, file_id), _ = filled
    services.blobs.delete(TENANT, f"tenants/{TENANT}/collections/{collection}/files/{file_id}/")
    assert "1 files without their bytes" in modulo("data", "backup", file)
    lose_everything(services, database)
    modulo("data", "restore", file)
    deliver_queued(services)
    clock.advance(timedelta(minutes=1))
    function("sweep").handler({}, None)
    assert chunks_of(api, collection) == {"fire-0.txt": ("failed", None)}


def test_what_was_unfinished_goes_on(api, services, database, clock, collection, file):
    failed = upload_failed(api, services, collection, "vault.txt")
    waiting = api.upload(collection, "The cellar opens at noon.", "cellar.txt")
    reply = api("POST", f"/collections/{collection}/urls", json={"url": "https://example.org/page.html"})
    assert reply.status == 202
    ref = ref_of(api, collection, waiting)
    services.ingestion.claim(
        ref,
        version=services.blobs.info(ref).version,
        now=clock.now(),
        lease_until=clock.now() + timedelta(minutes=5),
        deadline=clock.now() + timedelta(minutes=9),
    )
    modulo("data", "backup", file)
    lose_everything(services, database)
    clock.advance(timedelta(days=2))
    modulo("data", "restore", file)
    report = function("sweep").handler({}, None)
    assert report["failed"] == 0
    stages = {name: stage for name, (stage, _) in chunks_of(api, collection).items()}
    assert stages == {"vault.txt": "failed", "cellar.txt": "queued", "page.html": "fetching"}
    deliver_queued(services)
    assert chunks_of(api, collection)["cellar.txt"] == ("ready", 1)
    assert failed["file_id"]


def test_a_user_file_without_bytes_and_a_re_embedded_collection_are_backed_up(
    api, services, database, clock, filled, file
):
    kept = api.keep_file("Kept by its user.")
    services.blobs.delete(TENANT, f"tenants/{TENANT}/users/")
    collection = filled[0][0]
    assert api("POST", f"/collections/{collection}/reembedding", json={}).status == 202
    deliver_queued(services)
    assert api("DELETE", f"/collections/{filled[1][0]}").status == 202
    assert "1 objects" in modulo("data", "backup", file)
    lose_everything(services, database)
    modulo("data", "restore", file)
    deliver_queued(services)
    assert "1900" in answer(api, collection)
    assert api("GET", f"/v1/files/{kept}").status == 200


class TestRebuild:
    def test_lost_vectors_are_made_anew_from_the_objects(self, api, services, filled):
        before = [(chunks_of(api, one), answer(api, one)) for one, _ in filled]
        services.vectors, services.ingests = MemoryVectors(), MemoryQueue()
        assert modulo("data", "rebuild-vectors") == "2 files of 2 collections are being embedded anew"
        deliver_queued(services)
        assert [(chunks_of(api, one), answer(api, one)) for one, _ in filled] == before

    def test_it_goes_page_by_page_and_a_sweep_queues_what_the_queue_did_not_take(
        self, api, services, filled, monkeypatch
    ):
        monkeypatch.setattr("modulo.usecases.rebuild_vectors.PAGE", 1)
        services.ingests = DownQueue()
        assert modulo("data", "rebuild-vectors").endswith("2 files of 2 collections are being embedded anew")
        services.ingests = MemoryQueue()
        assert function("sweep").handler({}, None)["requeued"] == 2
        deliver_queued(services)
        assert all(stage == "ready" for one, _ in filled for stage, _ in chunks_of(api, one).values())

    def test_an_open_re_embedding_is_cancelled(self, api, services, filled):
        collection = filled[0][0]
        assert api("POST", f"/collections/{collection}/reembedding", json={}).status == 202
        services.vectors, services.ingests = MemoryVectors(), MemoryQueue()
        modulo("data", "rebuild-vectors")
        assert api("GET", f"/collections/{collection}/reembedding").json["state"] == "cancelled"
        deliver_queued(services)
        assert "1900" in answer(api, collection)

    def test_the_quota_is_charged_once(self, api, services, filled):
        collection = filled[0][0]
        before = api("GET", f"/collections/{collection}").json["storage_bytes"]
        modulo("data", "rebuild-vectors")
        deliver_queued(services)
        for delivery in services.purges.receive(limit=10, wait_seconds=0):
            record = {"messageId": "m", "receiptHandle": "r", "body": delivery.body, "attributes": {}}
            assert function("purge").handler({"Records": [record]}, None) == {"batchItemFailures": []}
        assert api("GET", f"/collections/{collection}").json["storage_bytes"] == before
        assert services.blobs.count(TENANT, f"tenants/{TENANT}/").objects == 2

    def test_a_collection_that_was_deleted_meanwhile_is_left_alone(self, services, clock):
        assert services.vector_rebuilds.rebuild_vectors(uuid4(), uuid4(), now=clock.now()) == ()


class TestExport:
    def test_a_tenant_moves_without_its_keys_and_without_others(self, api, services, database, filled, file):
        as_user("eve", "other").create_collection("theirs")
        before = [(chunks_of(api, one), answer(api, one)) for one, _ in filled]
        modulo("tenants", "export", TENANT, file)
        text = zipfile.ZipFile(file).read("tables/collections.jsonl").decode()
        assert "theirs" not in text
        lose_everything(services, database)
        modulo("tenants", "import", file)
        services.known_keys.clear()
        assert api("GET", "/collections").status == 401
        moved = as_user("ada")
        deliver_queued(services)
        assert [(chunks_of(moved, one), answer(moved, one)) for one, _ in filled] == before

    def test_an_unknown_or_deleted_tenant_is_not_exported(self, api, services, filled, file):
        assert "no such tenant" in modulo("tenants", "export", uuid4(), file, code=1)
        modulo("tenants", "delete", TENANT, "--yes")
        assert "no such tenant" in modulo("tenants", "export", TENANT, file, code=1)
        assert list(file.parent.iterdir()) == []

    def test_an_export_is_no_backup_nor_the_reverse(self, api, services, filled, file):
        modulo("tenants", "export", TENANT, file)
        assert "is of a whole tenant" in modulo("data", "restore", file, code=1)
        other = file.with_name("all.zip")
        modulo("data", "backup", other)
        assert "is of a whole installation" in modulo("tenants", "import", other, code=1)


def test_an_existing_file_is_not_overwritten(api, services, file):
    file.write_text("precious")
    assert "exists: name another file" in modulo("data", "backup", file, code=1)
    assert file.read_text() == "precious"


def test_a_backup_that_a_store_ends_leaves_no_file(api, services, filled, file, monkeypatch):
    def down(*_):
        raise Unavailable(dependency="s3")

    monkeypatch.setattr(services.blobs, "open", down)
    modulo("data", "backup", file, code=1)
    assert list(file.parent.iterdir()) == []


def test_files_of_this_machine_are_of_no_use_to_a_deployment(file):
    assert "docs/operations/backup.md" in modulo("data", "--aws", "prod", "backup", file, code=1)


def rewrite(file, change, **entries):
    """The archive with some entries changed: each is given as text and comes back as text, or None to leave it out."""
    with zipfile.ZipFile(file) as old:
        contents = {info.filename: old.read(info) for info in old.infolist()}
    changed = change(contents)
    contents = changed if isinstance(changed, dict) else contents
    with zipfile.ZipFile(file, "w", **entries) as new:
        for name, content in contents.items():
            new.writestr(name, content)


def row(contents, table, **values):
    """Change the first row of a table."""
    name = f"tables/{table}.jsonl"
    first, *others = contents[name].decode().splitlines()
    changed = json.dumps({**json.loads(first), **values})
    contents[name] = "".join(f"{line}\n" for line in (changed, *others)).encode()


def said(contents, **values):
    contents["manifest.json"] = json.dumps({**json.loads(contents["manifest.json"]), **values}).encode()


def moved(contents, key):
    """Put the first object at another key."""
    name = next(name for name in contents if name.startswith("objects/"))
    contents["objects.jsonl"] = contents["objects.jsonl"].replace(name.removeprefix("objects/").encode(), key.encode())
    contents[f"objects/{key}"] = contents.pop(name)


OTHER = str(uuid4())
HOSTILE = {
    "a row of another tenant": lambda c: row(c, "files", tenant_id=OTHER),
    "a user of another tenant": lambda c: row(c, "users", tenant_id=OTHER),
    "a column too many": lambda c: row(c, "files", is_admin=True),
    "no id": lambda c: row(c, "tenants", id="../../etc"),
    "a nested bomb": lambda c: c.update({"tables/files.jsonl": b"[" * 100_000 + b"\n"}),
    "a row that is none": lambda c: c.update({"tables/files.jsonl": b"1\n"}),
    "bytes that are no text": lambda c: c.update({"tables/files.jsonl": b"\xff\n"}),
    "too few rows": lambda c: c.update({"tables/members.jsonl": b""}),
    "a stage that is none": lambda c: row(c, "generations", stage="magic"),
    "a negative size": lambda c: row(c, "generations", size_bytes=-1),
    "a date that is none": lambda c: row(c, "files", created_at="soon"),
    "a file of nobody": lambda c: row(c, "files", created_by=OTHER),
    "a model that is none": lambda c: row(c, "collections", embedding_model={"name": "x", "dimensions": "many"}),
    "a model not offered": lambda c: row(c, "collections", embedding_model={"name": "x", "dimensions": 3}),
    "defaults of searches that are none": lambda c: row(c, "collections", search_defaults={"top_k": "many"}),
    "no truth value": lambda c: row(c, "collections", dedicated="perhaps"),
    "a character that cannot be stored": lambda c: row(c, "files", name="a\0b"),
    "a document that is none": lambda c: row(c, "generations", document={"title": {"a": 1}}),
    "credentials": lambda c: said(c, tables={"api_keys": {"columns": ["id"], "rows": 0}}),
    "an unknown table": lambda c: said(c, tables={"pg_authid": {"columns": ["rolname"], "rows": 0}}),
    "a column that is SQL": lambda c: said(c, tables={"files": {"columns": ["id) SELECT 1; --"], "rows": 0}}),
    "columns missing": lambda c: said(c, tables={"files": {"columns": ["id"], "rows": 0}}),
    "another format": lambda c: said(c, format=2),
    "nobody's": lambda c: said(c, tenant_id=None),
    "a manifest that is none": lambda c: c.update({"manifest.json": b"{"}),
    "no manifest": lambda c: {k: v for k, v in c.items() if k != "manifest.json"},
    "an object outside": lambda c: moved(c, "../../../etc/passwd"),
    "an object of another tenant": lambda c: moved(c, FileRef(uuid4(), uuid4(), uuid4(), 1).key),
    "an object of another's user": lambda c: moved(c, UserFileRef(uuid4(), uuid4(), uuid4()).key),
    "an object not there": lambda c: {k: v for k, v in c.items() if not k.startswith("objects/")},
    "an object twice": lambda c: (
        c.update({"objects.jsonl": c["objects.jsonl"] + c["objects.jsonl"].splitlines(keepends=True)[0]}),
        said(c, objects=3),
    ),
    "more objects than said": lambda c: said(c, objects=9),
    "a header in a media type": lambda c: c.update(
        {"objects.jsonl": c["objects.jsonl"].replace(b"text/plain", b"text/plain\\r\\nx-amz-acl: public-read")}
    ),
}


def test_a_hostile_archive_changes_nothing(api, services, database, filled, file):
    modulo("tenants", "export", TENANT, file)
    lose_everything(services, database)
    whole = file.read_bytes()
    for what, change in HOSTILE.items():
        file.write_bytes(whole)
        rewrite(file, change)
        assert "modulo: " in modulo("tenants", "import", file, code=1), what
        assert database("SELECT 1 FROM tenants") == [], what
    file.write_bytes(whole)
    modulo("tenants", "import", file)


def test_an_archive_of_an_earlier_version_lacks_later_columns(api, services, database, filled, file):
    modulo("data", "backup", file)

    def earlier(contents):
        name = "tables/collections.jsonl"
        rows = [json.loads(line) for line in contents[name].decode().splitlines()]
        kept = [{key: value for key, value in one.items() if key != "search_defaults"} for one in rows]
        contents[name] = "".join(f"{json.dumps(one)}\n" for one in kept).encode()
        tables = json.loads(contents["manifest.json"])["tables"]
        tables["collections"]["columns"].remove("search_defaults")
        said(contents, tables=tables)

    rewrite(file, earlier)
    lose_everything(services, database)
    modulo("data", "restore", file)
    deliver_queued(services)
    assert "1900" in answer(api, filled[0][0])


def test_a_backup_holds_no_row_of_a_tenant_that_it_does_not_hold(api, services, database, filled, file):
    modulo("data", "backup", file)
    rewrite(file, lambda contents: row(contents, "users", tenant_id=OTHER))
    lose_everything(services, database)
    assert "its table users holds a row of another tenant" in modulo("data", "restore", file, code=1)


def test_a_large_object_is_refused(api, services, database, filled, file):
    modulo("tenants", "export", TENANT, file)
    lose_everything(services, database)
    services.settings = services.settings.model_copy(update={"max_file_bytes": 10})
    assert "larger than MAX_FILE_BYTES" in modulo("tenants", "import", file, code=1)


@pytest.mark.parametrize("cut", [0, 100, -30])
def test_a_part_of_an_archive_is_refused(api, services, filled, file, cut):
    modulo("data", "backup", file)
    file.write_bytes(file.read_bytes()[:cut])
    assert "no archive of Modulo's" in modulo("data", "restore", file, "--replace", code=1)
    assert set(chunks_of(api, filled[0][0])) == {"fire-0.txt"}


def test_damaged_bytes_are_found(api, services, database, filled, file):
    modulo("data", "backup", file)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"burned down in 1900", b"burned down in 2900"))
    lose_everything(services, database)
    assert "is damaged" in modulo("data", "restore", file, code=1)


def test_other_compressions_and_double_entries_are_refused(api, services, filled, file):
    modulo("data", "backup", file)
    rewrite(file, lambda contents: None, compression=zipfile.ZIP_BZIP2)
    assert "compressed in an unknown way" in modulo("data", "restore", file, "--replace", code=1)


def test_no_file_is_refused(services, file):
    assert "cannot be read" in modulo("data", "restore", file, code=1)
