"""`modulo admin …`: where operators' commands are found, and what they print for programs."""

import json
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.tenancy.identity import Tenant
from tests.functions.conftest import SETTLED, Api, as_user, give_up_file


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env=SETTLED)
    assert done.exit_code == 0, done.output
    return done.stdout


def found(*arguments: str) -> Any:
    return json.loads(told("admin", *arguments, "--json"))


def test_keys_and_tenants_are_json_where_asked(services, api: Api) -> None:
    made = found("keys", "create", "--tenant", "acme", "--user", "bob", "--name", "laptop")["key"]
    assert Api({"authorization": f"Bearer {made}"})("GET", "/me").json["user"]["name"] == "bob"
    listed = found("keys", "list", "--tenant", "acme")
    assert {one["name"] for one in listed} >= {"laptop"}
    assert not [one for one in listed if made in json.dumps(one)]
    assert [one["name"] for one in found("tenants", "list")] == ["acme"]


def test_a_list_of_keys_names_their_users(services) -> None:
    told("admin", "keys", "create", "--tenant", "acme", "--user", "bob", "--name", "laptop")
    [line] = told("admin", "keys", "list", "--tenant", "acme").splitlines()
    assert line.split()[3:] == ["valid", "laptop", "bob"]
    assert (
        "acne has no keys" in CliRunner().invoke(app, ["admin", "keys", "list", "--tenant", "acne"], env=SETTLED).stderr
    )


def test_dead_letters_are_json_where_asked(queues, api: Api) -> None:
    assert found("dead-letters", "list") == []
    give_up_file(api, queues, api.create_collection())
    [letter] = found("dead-letters", "list", "--state", "waiting")
    assert letter["state"] == "waiting"


def test_the_names_of_before_do_the_same(services) -> None:
    as_user("ada")
    assert told("keys", "list", "--tenant", "acme") == told("admin", "keys", "list", "--tenant", "acme") != ""


def failed(*command: str) -> str:
    ended = CliRunner().invoke(app, ["admin", *command], env=SETTLED)
    assert ended.exit_code == 1, ended.output
    return ended.stderr


def test_tenants_and_users_are_found_by_their_names(services) -> None:
    as_user("ada")
    as_user("bob")
    tenant = found("tenants", "list")[0]["id"]
    assert told("admin", "users", "list", "acme") == told("admin", "users", "list", tenant) != ""
    asked = CliRunner().invoke(app, ["admin", "users", "delete", "acme", "bob"], input="n", env=SETTLED)
    assert "Delete user bob (" in asked.output
    assert told("admin", "users", "delete", "acme", "bob", "--yes")
    names = [line.partition("  ")[2] for line in told("admin", "users", "list", "acme").splitlines()]
    assert sorted(names) == ["", "ada"]
    assert "there is no user named 'bob'" in failed("users", "receipt", "acme", "bob")
    assert told("admin", "tenants", "delete", "acme", "--yes")
    assert json.loads(told("admin", "tenants", "receipt", "acme"))["kind"] == "tenant"


def test_a_name_that_none_or_several_have_is_refused(services) -> None:
    as_user("ada")
    twin = uuid4()
    services.tenants.add_tenant(Tenant(id=twin, name="acme"))
    refused = failed("tenants", "delete", "acme", "--yes")
    assert "several tenants are named 'acme': name one by its id" in refused
    assert str(twin) in refused
    assert "there is no tenant named 'acne'; `modulo admin tenants list`" in failed("users", "list", "acne")
