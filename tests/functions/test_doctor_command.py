"""`modulo doctor` against the product, well and not."""

import json
from pathlib import Path
from typing import Any

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.tenancy.identity import Scope
from tests.functions.conftest import Api, as_user, ingest_all
from tests.functions.served import key_of
from tests.functions.test_modulo_command import Command, modulo
from tests.functions.test_python_client import url

__all__ = ["modulo", "url"]


def findings(modulo: Command, code: int = 0) -> dict[str, dict[str, Any]]:
    done = modulo.run("doctor", "--json")
    assert done.returncode == code, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["ok"] is (code == 0)
    return {one["check"]: one for one in told["findings"]}


def test_all_is_well(modulo: Command, api: Api, url: str) -> None:
    api.create_collection("papers")
    found = findings(modulo)
    assert {one["status"] for one in found.values()} == {"ok"}
    assert url in found["profile"]["found"]
    assert found["credential"]["found"].startswith("ada of acme")
    assert "extracts" in found["answers"]["found"]
    assert found["files"]["found"].startswith("1 collection, 0 files ready")
    assert found["quota of collections"]["found"] == "1 of 10"
    told = modulo("doctor")
    assert "postgres: answers in" in told
    assert "Everything that has to work does." in told


@pytest.mark.parametrize(
    "settings", [{"expected_workers": ["ingest_file"], "quotas": {"collections": 1}}], indirect=True
)
def test_each_finding_says_what_to_do(modulo: Command, api: Api, services) -> None:
    class Down:
        def ping(self) -> None:
            raise Unavailable(dependency="milvus")

    collection = api.create_collection("papers")
    api.upload(collection, b"%PDF-1.7 damaged", "damaged.pdf")
    ingest_all(api, collection)
    services.vectors = Down()
    found = findings(modulo, code=1)
    assert {name: one["status"] for name, one in found.items() if one["status"] != "ok"} == {
        "vectors": "failed",
        "worker ingest_file": "failed",
        "files": "warning",
        "quota of collections": "warning",
    }
    assert "modulo worker ingest_file" in found["worker ingest_file"]["advice"]
    assert "papers" in found["files"]["advice"]


def test_without_a_server_or_a_key_it_says_how_to_get_them(modulo: Command, url: str, tmp_path: Path) -> None:
    bare = Command(tmp_path / "nobody")
    assert "make up" in findings(bare, code=3)["profile"]["advice"]
    gone = Command(tmp_path / "nobody", MODULO_URL="http://127.0.0.1:9", MODULO_API_KEY="mod_x")
    assert findings(gone, code=3)["server"]["status"] == "failed"
    wrong = Command(tmp_path / "nobody", MODULO_URL=url, MODULO_API_KEY="mod_wrong")
    assert "modulo login" in findings(wrong, code=3)["credential"]["advice"]
    reader = Command(tmp_path / "nobody", MODULO_URL=url, MODULO_API_KEY=key_of(as_user("bob", scopes=[Scope.read])))
    assert findings(reader)["credential"]["status"] == "warning"
