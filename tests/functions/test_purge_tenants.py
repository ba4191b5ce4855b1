"""Whole tenants through the queue of `purge`."""

from datetime import timedelta
from random import Random

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.operations.purge import PurgeRequest
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.admin.tenants import show_deletion
from modulo.runtime.worker import function
from modulo.usecases import purge
from tests.functions.conftest import SETTLED, as_user, ingest, ref_of, replace_metadata
from tests.functions.test_purge import run_purges

TENANT = external_id("modulo", "tenant:acme")


@pytest.fixture
def files(api, services):
    """Five collections of two users with a ready file each."""
    made = []
    for number in range(5):
        caller = as_user(["ada", "bob"][number % 2])
        collection = caller.create_collection(f"c{number}")
        receipt = caller.upload(collection, f"The archive burned down in 190{number}.")
        assert ingest(caller, collection, receipt) == []
        made.append(ref_of(caller, collection, receipt))
    return made


def modulo(*command, code=0):
    ended = CliRunner().invoke(app, ["tenants", *command], env=SETTLED)
    assert ended.exit_code == code, ended.output
    return ended.output


def told():
    return show_deletion(TENANT)


def drained(services):
    """Handle messages until there are none; how many there were."""
    handled = 0
    while found := run_purges(services):
        handled += found
    return handled


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_deleted_tenant_leaves_a_receipt(api, files, services, monkeypatch, rows):
    monkeypatch.setattr(purge, "ROWS_PER_STEP", rows)
    eve = as_user("eve", "other")
    kept = eve.create_collection()
    assert str(TENANT) in modulo("list")
    modulo("delete", str(TENANT), "--yes")
    assert told().state == "requested"
    stray = FileRef(TENANT, files[0].collection_id, files[1].file_id, 9)
    services.blobs.put(stray, b"an object of no file", media_type="text/plain")
    drained(services)
    ended = told()
    assert (ended.state, ended.name) == ("completed", "acme")
    assert sum(ended.removed.vectors.values()) == 5
    assert ended.removed.objects == 6
    assert (ended.removed.rows["collections"], ended.removed.rows["users"]) == (5, 2)
    assert services.blobs.count(TENANT, f"tenants/{TENANT}/").objects == 0
    assert ended.proof.objects == 0
    assert '"state": "completed"' in modulo("receipt", str(TENANT))
    assert "deleted 2026-03-14" in modulo("list")
    assert eve("GET", f"/collections/{kept}").status == 200
    assert drained(services) == 0


def test_an_object_that_no_file_knows_is_removed_and_told_at_the_end(api, services):
    services.blobs.put(FileRef(TENANT, TENANT, TENANT, 1), b"stray", media_type="a/b")
    modulo("delete", str(TENANT), "--yes")
    drained(services)
    assert (told().state, told().removed.objects, told().removed.object_bytes) == ("completed", 1, 5)


def test_it_ends_wherever_it_was_interrupted(api, files, services, clock):
    """Every store fails once in a while; the sweep asks again."""
    chance = Random(7)
    restore = replace_metadata(services, lambda port: Failing(port, chance))
    for part in ("blobs", "vectors"):
        setattr(services, part, Failing(getattr(services, part), chance))
    modulo("delete", str(TENANT), "--yes")
    for _ in range(60):
        for _ in range(10):
            run_purges(services)
        clock.advance(timedelta(minutes=11))
        try:
            function("sweep").handler({}, None)
        except Unavailable:
            continue
    restore()
    for part in ("blobs", "vectors"):
        setattr(services, part, getattr(services, part).real)
    assert told().state == "completed"
    assert (sum(told().removed.vectors.values()), told().removed.objects) == (5, 5)


class Failing:
    """A store of which one in seven of these calls fails, before or behind what it does.

    By chance, not in turn: a step that always came seventh would never be done.
    """

    def __init__(self, real, chance):
        self.real, self.chance = real, chance

    def __getattr__(self, name):
        method = getattr(self.real, name)

        def called(*args, **given):
            number = self.chance.randrange(14)
            if number < 2:
                if number:
                    method(*args, **given)
                raise Unavailable(dependency="store")
            return method(*args, **given)

        return called if name != "tombstone_tenant" else method


def test_another_step_that_recorded_something_meanwhile_is_let_win(api, services):
    real = services.tenants

    class Overtaken:
        def __getattr__(self, name):
            if name == "end_tenant" and services.tenants is self:
                services.tenants = real
                services.purges.send(PurgeRequest(TENANT).body())
                assert run_purges(services) == 1
            return getattr(real, name)

    services.tenants = Overtaken()
    modulo("delete", str(TENANT), "--yes")
    assert run_purges(services) == 0
    assert told().state == "completed"


def test_what_is_not_there_cannot_be_deleted_or_shown(services):
    assert "no such tenant" in modulo("delete", str(TENANT), "--yes", code=1)
    assert "no such receipt" in modulo("receipt", str(TENANT), code=1)
    services.purges.send(PurgeRequest(TENANT).body())
    assert run_purges(services) == 1
