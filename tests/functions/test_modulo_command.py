"""The `modulo` command against the product, served as `modulo serve` does."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path

import pytest

from modulo_client.command.main import COMMANDS
from tests.functions.conftest import Api, as_user, ingest_all, ingest_everything
from tests.functions.served import key_of
from tests.functions.test_python_client import SEA, url

__all__ = ["url"]


PROGRAM = Path(sys.executable).with_name("modulo")


class Command:
    """Runs the command as a user would, with a home of its own."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.environment = {"HOME": str(home), "COLUMNS": "200", **environment}

    def __call__(self, *arguments: str, code: int = 0, typed: str = "") -> str:
        done = self.run(*arguments, typed=typed)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments],
            cwd="/",
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def modulo(api: Api, url: str, tmp_path: Path) -> Command:
    return Command(tmp_path / "home", MODULO_URL=url, MODULO_API_KEY=key_of(api))


@contextmanager
def ingestion(api: Api) -> Iterator[None]:
    """A worker meanwhile: the files of all collections are read."""
    over = threading.Event()

    def work() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        while not over.wait(0.05):
            ingest_everything(api)
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "deep").mkdir(parents=True)
    (made / "sea.txt").write_text(SEA)
    (made / "deep" / "land.md").write_text("The highest mountain is 8,849 metres high.")
    (made / "empty.txt").write_text("")
    return made


def test_from_nothing_to_an_answer(modulo: Command, api: Api, folder: Path) -> None:
    assert "You have no collections" in modulo.run("ls").stderr
    assert "Made papers" in modulo("new", "papers", "--description", "seas and lands")
    assert "papers holds no files. Add some with: modulo add papers" in modulo.run("ls", "papers").stderr
    assert "No passage comes near" in modulo.run("search", "papers", "sea").stderr
    assert "deep - land.md" in modulo("add", "papers", str(folder), "--dry-run")
    with ingestion(api):
        told = modulo("add", "papers", str(folder), code=4)
    assert "2 ready, 1 failed" in told
    assert "empty.txt: " in told
    assert "papers" in modulo("ls")
    assert "sea.txt" in modulo("ls", "papers")
    assert "ready" in modulo("status", "papers")
    answer = modulo("ask", "papers", "How deep is the sea?")
    assert "11 kilometres" in answer
    assert "[1] sea.txt, page 1" in answer
    assert "near " in modulo("ask", "papers", "Who painted the ceiling of the chapel?")
    assert "8,849" in modulo("search", "papers", "mountain", "--top-k", "2")
    assert "8,849" not in modulo("search", "papers", "mountain", "--filters", '{"source": "sea.txt"}')
    talked = modulo("chat", "papers", typed="How deep is the sea?\n\n")
    assert "11 kilometres" in talked
    assert "Deleted 1 file of papers" in modulo("rm", "papers", "sea.txt", "--yes")
    modulo("rm", "papers", code=1, typed="n\n")
    assert "Receipts: " in modulo("rm", "papers", typed="y\n")
    assert modulo("ls").strip() == ""


def test_everything_is_json_where_asked(modulo: Command, api: Api, folder: Path) -> None:
    made = json.loads(modulo("new", "papers", "--json"))
    with ingestion(api):
        done = modulo.run("add", "papers", str(folder / "sea.txt"), "--json")
    [added] = json.loads(done.stdout)["added"]
    assert (done.returncode, added["stage"], added["error"]) == (0, "ready", None)
    assert [one["id"] for one in json.loads(modulo("ls", "--json"))] == [made["id"]]
    assert [one["id"] for one in json.loads(modulo("ls", made["id"], "--json"))] == [added["file_id"]]
    answer = json.loads(modulo("ask", "papers", "How", "deep", "is", "the sea?", "--json"))
    assert answer["citations"][0]["title"] == "sea.txt"
    assert json.loads(modulo("search", "papers", "the", "sea", "--json"))[0]["chunk"]["text"] == SEA
    assert json.loads(modulo("usage", "--json"))["collections"] == 1
    assert json.loads(modulo("whoami", "--json"))["user"]["name"] == "ada"
    assert len(json.loads(modulo("rm", "papers", "--yes", "--json"))) == 1


def test_a_login_is_remembered_for_its_server_only(modulo: Command, tmp_path: Path) -> None:
    environment = dict(modulo.environment)
    address, key = environment.pop("MODULO_URL"), environment.pop("MODULO_API_KEY")
    bare = Command(tmp_path / "home")
    assert "modulo login" in bare("ls", code=3)
    assert "Signed in" in bare("login", "--url", f"{address}/api/", typed=f"{key}\n")
    [profile] = (tmp_path / "home").rglob("profile.json")
    assert profile.stat().st_mode & 0o777 == 0o600
    assert "ada of acme" in bare("whoami")
    bare("ls", "--url", address)
    told = bare("ls", "--url", "http://127.0.0.1:9", code=3)
    assert "no key is known for http://127.0.0.1:9: run `modulo login --url http://127.0.0.1:9`" in told
    assert "does not accept the key" in bare("login", "--url", address, "--key", "mod_wrong", code=3)
    bare("whoami")
    assert "Signed out" in bare("logout")
    bare("whoami", code=3)


def test_what_is_wrong_is_one_line(modulo: Command, folder: Path) -> None:
    assert "no collection is named 'none'" in modulo("ask", "none", "why?", code=1)
    modulo("new", "papers")
    assert "is it 'papers'? `modulo ls` lists all." in modulo("ask", "paper", "why?", code=1)
    assert "another collection of that name" in modulo("new", "papers", code=1)
    assert "does not exist" in modulo("add", "papers", "nowhere.txt", code=1)
    assert "no file 'x.txt'" in modulo("rm", "papers", "x.txt", "--yes", code=1)
    assert modulo.run("ask").returncode == 2
    assert "no JSON object" in modulo("ask", "papers", "why?", "--filters", "year=2020", code=2)
    none_failed = modulo.run("status", "papers", "--failed")
    assert (none_failed.stdout, none_failed.stderr) == ("", "No file of papers failed.\n")
    assert "begin with http:// or https://" in modulo("ls", "--url", "rag.example.org", code=2)
    assert "modulo add 'my papers' ./docs" in modulo("new", "my papers")
    assert "`modulo new 'other things'` makes it" in modulo("ask", "other things", "why?", code=1)
    dead = Command(folder, MODULO_URL="http://127.0.0.1:9", MODULO_API_KEY="mod_x")
    assert "does not answer" in dead("usage", code=3)


def test_files_that_nobody_reads_are_not_awaited_for_ever(modulo: Command, folder: Path) -> None:
    modulo("new", "papers")
    assert "1 of 1 files are still being read" in modulo(
        "add", "papers", str(folder / "sea.txt"), "--max-wait", "0", code=1
    )
    assert "awaiting_upload" in modulo("status", "papers")


def test_failed_files_are_retried_where_that_helps(modulo: Command, api: Api) -> None:
    modulo("new", "papers")
    [collection] = api("GET", "/collections").json["items"]
    api.upload(collection["id"], b"%PDF-1.7 damaged", "damaged.pdf")
    ingest_all(api, collection["id"])
    assert "damaged.pdf" in modulo("status", "papers", "--failed", code=4)
    assert "1 would fail again" in modulo("retry", "papers", code=4)


def test_a_collection_is_shared(modulo: Command, url: str, tmp_path: Path) -> None:
    bob = Command(tmp_path / "bob", MODULO_URL=url, MODULO_API_KEY=key_of(as_user("bob")))
    user = json.loads(bob("whoami", "--json"))["user"]["id"]
    modulo("new", "papers")
    assert "is viewer of papers" in modulo("share", "papers", user, "viewer")
    assert "viewer" in bob("ls")
    assert user in bob("whoami")
    assert [line.split()[0] for line in modulo("share", "papers").splitlines()[1:]] == ["ada", "bob"]
    assert "name either a role" in modulo("share", "papers", user, code=2)
    assert "name the user" in modulo("share", "papers", "--remove", code=2)
    assert user not in modulo("share", "papers", user, "--remove")
    assert bob("ls").strip() == ""


def test_the_server_s_own_commands_are_there(modulo: Command) -> None:
    told = modulo("--help")
    assert {"serve", "worker", "admin", "ask", "doctor"} <= set(told.split())
    assert modulo("--version").startswith("modulo-client ")
    assert {"keys", "tenants", "dead-letters"} <= set(modulo("admin", "--help").split())
    assert "keys" not in told.split(), "the name of before is an alias that is not shown"
    assert "create" in modulo("keys", "--help")


def test_every_command_for_people_prints_json(modulo: Command, api: Api, url: str, tmp_path: Path) -> None:
    assert not [name for name, (_, command) in COMMANDS.items() if "as_json" not in signature(command).parameters]
    collection = api.create_collection("papers")
    api.upload(collection, SEA, "sea.txt")
    ingest_all(api, collection)
    home = Command(tmp_path / "other")
    told = json.loads(home("login", "--url", url, "--key", modulo.environment["MODULO_API_KEY"], "--json"))
    assert (told["url"], told["user"]) == (url, "ada")
    assert json.loads(home("logout", "--json")) == {"signed_out": True}
    assert json.loads(modulo("retry", "papers", "--json")) == {"retried": [], "hopeless": []}
    user = as_user("bob")("GET", "/me").json["user"]["id"]
    assert json.loads(modulo("share", "papers", user, "viewer", "--json"))["role"] == "viewer"
    answer = json.loads(modulo("chat", "papers", "--json", typed="How deep is the sea?\n\n"))
    assert "11 kilometres" in answer["search"]["answer"]
