"""Operators' commands find the stack that runs, or refuse."""

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.cli.running_stack import running_address, use_running_stack
from modulo.cli.stack.stack import ENVIRONMENT_FILE
from modulo.domain.errors import Unavailable
from modulo_client.running_server import KEY_FILE

OURS = {"DATABASE_URL": "postgresql://stack", "CACHE_URL": "redis://stack", "AWS_ACCESS_KEY_ID": "stack"}
ID = "00000000-0000-4000-8000-000000000000"
COMMANDS = (
    ("keys", "create", "--tenant", "acme", "--user", "ada", "--name", "laptop"),
    ("keys", "list", "--tenant", "acme"),
    ("keys", "revoke", ID, "--tenant", "acme"),
    ("dead-letters", "list"),
    ("dead-letters", "retry", "--all"),
    ("dead-letters", "discard", "--all"),
    ("tenants", "list"),
    ("tenants", "delete", ID, "--yes"),
    ("tenants", "receipt", ID),
)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Path]:
    """The data directory of a stack that runs."""
    (tmp_path / ENVIRONMENT_FILE).write_text(json.dumps(OURS))
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def test_the_settings_of_the_running_stack_are_taken(running: Path) -> None:
    environment = {"PATH": "/bin", "DATABASE_URL": ""}
    use_running_stack(running, environment)
    assert environment == {"PATH": "/bin", **OURS}


def test_settings_that_are_given_win(running: Path) -> None:
    environment = {"CACHE_URL": "redis://mine"}
    use_running_stack(running, environment)
    assert environment == {**OURS, "CACHE_URL": "redis://mine"}


def test_nothing_is_mixed_into_another_installation(running: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://mine", "AWS_ACCESS_KEY_ID": "mine"}
    use_running_stack(running, environment)
    assert environment == {"DATABASE_URL": "postgresql://mine", "AWS_ACCESS_KEY_ID": "mine"}


def test_keys_to_a_real_cloud_are_not_used_on_the_local_one(running: Path) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "real", "AWS_SESSION_TOKEN": "real", "AWS_PROFILE": "real"}
    use_running_stack(running, environment)
    assert environment == OURS


@pytest.mark.parametrize("left", ["nothing", "lock", "all"])
def test_a_stack_that_does_not_run_is_not_found(tmp_path: Path, left: str) -> None:
    """What a killed stack leaves behind names servers that are gone."""
    if left != "nothing":
        (tmp_path / "lock").touch()
    if left == "all":
        (tmp_path / ENVIRONMENT_FILE).write_text(json.dumps(OURS))
    environment: dict[str, str] = {}
    with pytest.raises(Unavailable, match=r"is not running.*make up.*--data.*DATABASE_URL"):
        use_running_stack(tmp_path, environment)
    assert environment == {}


def test_one_that_is_still_starting_is_waited_for_by_the_operator(running: Path) -> None:
    (running / ENVIRONMENT_FILE).unlink()
    with pytest.raises(Unavailable, match="still starting"):
        use_running_stack(running, {})


def test_one_whose_settings_may_not_be_read_is_named(running: Path) -> None:
    (running / ENVIRONMENT_FILE).unlink()
    (running / ENVIRONMENT_FILE).mkdir()
    with pytest.raises(Unavailable, match="cannot be read"):
        use_running_stack(running, {})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_operators_command_refuses_without_an_installation(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, command, env={"DATABASE_URL": ""})
    assert ended.exit_code == 1
    assert ended.stdout == ""
    assert "Modulo is not running on .modulo: start it with `make up`" in ended.stderr


def test_the_address_of_the_running_stack_is_known_once_it_has_started(running: Path) -> None:
    with pytest.raises(Unavailable, match="still starting"):
        running_address(running)
    (running / KEY_FILE).write_text("secret")
    with pytest.raises(Unavailable, match="still starting"):
        running_address(running)
    (running / "lock").write_text("42 at http://127.0.0.1:8000/api")
    assert running_address(running) == ("http://127.0.0.1:8000/api", "secret")


def test_a_stack_that_does_not_run_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"not running on .*make up"):
        running_address(tmp_path)
