"""A client that is generated from openapi.json makes a whole round trip."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.functions.conftest import ingest_all
from tests.functions.test_add_documents import names_in
from tests.functions.test_openai_client import address, key_of  # noqa: F401 - a fixture

COMMAND = str(Path(sys.executable).with_name("openapi-python-client"))
PACKAGE = "modulo_api_client"
SECONDS = 120


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Imports a module of the generated package."""
    folder = tmp_path_factory.mktemp("generated")
    described = ["--path", str(ROOT / "infra" / "openapi.json"), "--output-path", str(folder / PACKAGE)]
    command = [COMMAND, "generate", *described, "--meta", "none", "--fail-on-warning"]
    (folder / "config.yml").write_text("post_hooks: []\n")
    command += ["--config", str(folder / "config.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


def client_of(generated, address, key):  # noqa: F811 - the fixture's value
    return generated("client").AuthenticatedClient(address.removesuffix("/v1"), key, timeout=SECONDS)


def test_it_adds_a_text_asks_and_deletes(api, address, generated):  # noqa: F811 - the fixture
    with client_of(generated, address, key_of(api)) as client:
        make_round_trip(api, client, generated)


def make_round_trip(api, client, generated):
    models = generated("models")
    call = {
        name: generated(f"api.{tag}.{name}").sync
        for tag, name in (
            ("collections", "create_collection"),
            ("files", "add_document"),
            ("files", "upload_file"),
            ("files", "get_file"),
            ("files", "delete_file"),
            ("search", "search"),
        )
    }
    collection = call["create_collection"](client=client, body=models.NewCollection(name="harbour"))
    assert collection.status == models.CollectionStatus.CREATED
    text = models.NewDocument(name="pier.md", text="The pier is 41 metres long.")
    receipt = call["add_document"](collection.id, client=client, body=text)
    sent = generated("types").File(payload=b"The mole is green.", file_name="mole.txt", mime_type="text/plain")
    form = models.BodyUploadFile(file=sent)
    assert call["upload_file"](collection.id, client=client, body=form).generation == 1
    ingest_all(api, str(collection.id))
    file = call["get_file"](collection.id, receipt.file_id, client=client)
    assert (file.stage, file.name, file.url) == (models.Stage.READY, "pier.md", receipt.url)
    question = models.SearchInput(question="How long is the pier?", collection_id=collection.id)
    found = call["search"](client=client, body=question)
    assert [citation.document_id for citation in found.citations] == [receipt.file_id]
    assert found.query_results[0].chunk.text == "The pier is 41 metres long."
    call["delete_file"](collection.id, receipt.file_id, client=client)
    assert names_in(api, str(collection.id)) == {"mole.txt"}


def test_it_tells_a_problem(api, address, generated):  # noqa: F811 - the fixture
    with client_of(generated, address, "mod_wrong") as client:
        problem = generated("api.account.get_me").sync(client=client)
    assert (problem.status, problem.title) == (401, "Not authenticated")
