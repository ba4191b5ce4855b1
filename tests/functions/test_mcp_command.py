"""`modulo mcp`, started and spoken to by the SDK's own client over standard input and output."""

import fcntl
import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.runtime.mcp_door.tools import TOOLS
from modulo_client.running_server import KEY_FILE
from tests.functions.conftest import ingest
from tests.functions.test_openai_client import address, key_of  # noqa: F401 - a fixture

COMMAND = str(Path(sys.executable).with_name("modulo"))
MODES = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
SECONDS = 60
QUIET = "127.0.0.1:9"
"""Where nothing listens."""


@pytest.fixture
def server(address):  # noqa: F811 - the fixture
    return address.removesuffix("/v1")


def session(options, environment, mode, talk):
    """What somebody says to the command by a client of the SDK."""

    async def run():
        parameters = StdioServerParameters(command=COMMAND, args=["mcp", *options], env=environment)
        with anyio.fail_after(SECONDS):
            async with Client(stdio_client(parameters), mode=mode) as client:
                return await talk(client)

    return anyio.run(run)


def written(options, environment, *lines):
    """What the command writes for these lines, and its exit code."""
    sent = "".join(line + "\n" for line in lines)
    command = [COMMAND, "mcp", *options]
    done = subprocess.run(
        command, input=sent, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done


@MODES
def test_an_assistant_starts_it_and_asks(api, collection, server, mode):
    receipt = api.upload(collection, "The harbour opens at nine.", "harbour.txt")
    assert ingest(api, collection, receipt) == []

    async def talk(client):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        found = await client.call_tool("rag_search", {"question": "When does the harbour open?"})
        with pytest.raises(MCPError, match="no document's id"):
            await client.call_tool("fetch", {"id": "naïve"})
        [listed] = (await client.list_resources()).resources
        read = await client.read_resource(listed.uri)
        return client.protocol_version, tools, found, read

    version, tools, found, read = session(["--url", server], {"MODULO_API_KEY": key_of(api)}, mode, talk)
    assert version == ("2025-11-25" if mode == "legacy" else mode)
    assert tools == list(TOOLS)
    [citation] = found.structured_content["citations"]
    assert citation["url"].startswith(f"{server}/api/collections/{collection}/files/{receipt['file_id']}/content#page=")
    assert read.contents[0].text == "The harbour opens at nine."


def test_it_shows_one_collection_where_one_is_named(api, server):
    chosen = api.create_collection("log & book")
    api.create_collection("others")

    async def talk(client):
        return await client.call_tool("rag_list_collections", {})

    options = ["--url", f"{server}/api", "--collection", "log & book"]
    found = session(options, {"MODULO_API_KEY": key_of(api)}, "legacy", talk)
    assert [one["id"] for one in found.structured_content["collections"]] == [chosen]


def test_it_finds_the_stack_that_runs(api, server, tmp_path):
    (tmp_path / KEY_FILE).write_text(key_of(api))
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"1 at {server}/api")
        lock.flush()

        async def talk(client):
            return (await client.list_tools()).tools

        assert [tool.name for tool in session(["--data", str(tmp_path)], {}, "legacy", talk)] == list(TOOLS)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--data", "/nowhere"], "not running"),
        (["--url", f"http://{QUIET}"], "MODULO_API_KEY"),
        (["--url", "localhost:8000", "--key", "mod_x"], "no address"),
    ],
)
def test_it_ends_at_once_where_it_can_reach_nothing(options, says):
    done = CliRunner().invoke(app, ["mcp", *options], env={"MODULO_API_KEY": "", "MODULO_URL": ""})
    assert (done.stdout, done.exit_code) == ("", 1)
    assert says in done.stderr


@pytest.mark.parametrize(
    ("key", "says", "mode"), [("mod_wrong", "API key is unknown", "legacy"), (None, "does not answer", "2026-07-28")]
)
def test_what_goes_wrong_is_the_protocols_error(services, server, key, says, mode):
    options = ["--url", server if key else f"http://{QUIET}", "--key", key or "mod_x"]

    async def talk(client):
        return await client.list_tools()

    with pytest.raises((MCPError, ExceptionGroup)) as raised:
        session(options, {}, mode, talk)
    error = raised.value
    while isinstance(error, ExceptionGroup):
        [error] = error.exceptions
    assert isinstance(error, MCPError)
    assert says in str(error)


def test_what_was_asked_is_answered_before_it_ends(api, server):
    call = {"jsonrpc": "2.0", "id": "a", "method": "tools/list", "params": {}}
    sent = ["no JSON", json.dumps(call), json.dumps({**call, "id": 7, "method": "no/such"}), "[]", ""]
    environment = {"MODULO_API_KEY": key_of(api), "MODULO_URL": server}
    answers, done = written([], environment, *sent)
    assert done.returncode == 0, done.stderr
    told = {answer["id"]: answer for answer in answers if answer["id"] is not None}
    assert [tool["name"] for tool in told["a"]["result"]["tools"]] == list(TOOLS)
    assert told[7]["error"]["code"] == -32601
    assert [answer["error"]["code"] for answer in answers if answer["id"] is None] == [-32700] * 3
