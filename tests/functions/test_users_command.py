"""`modulo users`: a user is deleted with all that is theirs, and nothing of others."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.admin import users
from modulo.runtime.queue import record_of
from modulo.runtime.worker import function
from tests.functions.conftest import SETTLED, as_user, ingest

TENANT = external_id("modulo", "tenant:acme")
ADA, BOB = (external_id("modulo", f"user:acme:{name}") for name in ("ada", "bob"))


def modulo(*command, code=0):
    ended = CliRunner().invoke(app, ["users", *map(str, command)], env=SETTLED)
    assert ended.exit_code == code, ended.output
    return ended.output.strip()


def receipt(user=ADA):
    return json.loads(modulo("receipt", TENANT, user))


def purge_all(services, clock):
    """Deliver purges until nothing can arrive any more."""
    for _ in range(3):
        for delivery in services.purges.receive(limit=10, wait_seconds=0):
            assert function("purge").handler({"Records": [record_of(delivery)]}, None) == {"batchItemFailures": []}
            services.purges.delete(delivery.receipt)
        clock.advance(timedelta(hours=1))
        function("sweep").handler({}, None)


@pytest.fixture
def bob(services):
    return as_user("bob")


@pytest.fixture
def filled(api, bob):
    """Ada's collection and hers in it, and what she has in Bob's."""
    mine = api.create_collection("mine")
    assert ingest(api, mine, api.upload(mine, "The archive burned down in 1901.")) == []
    shared = bob.create_collection("shared")
    assert bob("PUT", f"/collections/{shared}/members/{ADA}", json={"role": "editor"}).status in (200, 204)
    assert ingest(api, shared, api.upload(shared, "It was rebuilt in 1903.", "rebuilt.txt")) == []
    assert api("POST", "/conversations", json={"title": "Fires"}).status == 201
    api.keep_file("Kept by its user.")
    return mine, shared


def test_everything_of_a_user_goes_with_proof(api, bob, services, clock, filled):
    mine, shared = filled
    assert f"{ADA}  ada" in modulo("list", TENANT)
    modulo("delete", TENANT, ADA, "--yes")
    services.known_keys.clear()
    assert api("GET", "/collections").status == 401
    before = receipt()
    assert (before["kind"], before["state"], before["name"]) == ("user", "purging", "ada")
    assert before["removed"]["rows"]["api_keys"] == 1
    purge_all(services, clock)
    after = receipt()
    assert (after["state"], after["proof"]["objects"], after["proof"]["vectors"]) == ("completed", 0, {})
    assert after["removed"]["objects"] == 1
    assert sum(after["removed"]["vectors"].values()) == 1
    assert after["removed"]["rows"]["conversations"] == 1
    assert receipt() == after
    assert services.blobs.count(TENANT, f"tenants/{TENANT}/collections/{mine}/").objects == 0
    assert services.blobs.count(TENANT, f"tenants/{TENANT}/users/").objects == 0
    assert f"{ADA}  ada" not in modulo("list", TENANT)
    kept = bob("GET", f"/collections/{shared}/files").json["items"]
    assert [file["name"] for file in kept] == ["rebuilt.txt"]
    assert [one["user_id"] for one in bob("GET", f"/collections/{shared}/members").json["items"]] == [str(BOB)]


def test_a_user_without_anything_is_forgotten(services, database):
    as_user("eve")
    eve = external_id("modulo", "user:acme:eve")
    modulo("delete", TENANT, eve, "--yes")
    assert receipt(eve)["state"] == "completed"
    assert database("SELECT 1 FROM users WHERE id = :id", id=eve) == []
    modulo("delete", TENANT, eve, "--yes")
    assert receipt(eve)["state"] == "completed"


def test_a_user_who_came_back_is_deleted_once_more(services, clock, filled):
    modulo("delete", TENANT, ADA, "--yes")
    purge_all(services, clock)
    assert receipt()["state"] == "completed"
    as_user("ada").create_collection("again")
    modulo("delete", TENANT, ADA, "--yes")
    assert receipt()["state"] == "purging"
    purge_all(services, clock)
    assert receipt()["state"] == "completed"


def test_deleting_again_meanwhile_changes_nothing(services, clock, filled):
    modulo("delete", TENANT, ADA, "--yes")
    modulo("delete", TENANT, ADA, "--yes")
    assert receipt()["state"] == "purging"
    purge_all(services, clock)
    assert receipt()["state"] == "completed"


def test_users_come_in_pages(services, monkeypatch):
    monkeypatch.setattr(users, "PAGE", 1)
    as_user("ada")
    as_user("bob")
    assert sorted(line.split()[1] for line in modulo("list", TENANT).splitlines()) == ["ada", "bob"]


def test_an_unknown_user_is_not_found(services, filled):
    assert "no such user" in modulo("delete", TENANT, uuid4(), "--yes", code=1)
    assert "no such user" in modulo("delete", uuid4(), ADA, "--yes", code=1)
    assert "was not deleted" in modulo("receipt", TENANT, BOB, code=1)


def test_it_asks_first(services, filled):
    ended = CliRunner().invoke(app, ["users", "delete", str(TENANT), str(ADA)], env=SETTLED, input="n\n")
    assert ended.exit_code == 1
    assert f"{ADA}  ada" in modulo("list", TENANT)
