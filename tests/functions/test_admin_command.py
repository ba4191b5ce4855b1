"""`modulo admin …`: where operators' commands are found, and what they print for programs."""

import json
from typing import Any

from typer.testing import CliRunner

from modulo.cli.main import app
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
