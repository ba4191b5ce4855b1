"""`POST /api/sign-in` of a server."""

from pathlib import Path

import httpx
import pytest

from modulo.cli.sign_in import KEY_NAME, SignInLinks
from modulo.runtime.admin.keys import list_keys
from tests.functions.conftest import Api
from tests.functions.served import SECONDS, served


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "links"


@pytest.fixture
def settings(settings, folder: Path):
    return settings.model_copy(update={"sign_in_folder": str(folder)})


def test_a_link_is_exchanged_once_for_a_key_of_its_user(services, api: Api, folder: Path) -> None:
    code = SignInLinks(folder).create("acme", "ada")
    with served() as address, httpx.Client(base_url=address, timeout=SECONDS) as http:
        signed_in = http.post("/api/sign-in", json={"code": code})
        assert signed_in.status_code == 200, signed_in.text
        assert signed_in.headers["cache-control"] == "no-store"
        key = signed_in.json()["api_key"]
        me = http.get("/api/me", headers={"Authorization": f"Bearer {key}"}).json()
        assert (me["user"]["name"], me["tenant"]["name"]) == ("ada", "acme")
        again = http.post("/api/sign-in", json={"code": code})
        assert (again.status_code, again.json()["type"]) == (401, "urn:modulo:problem:unauthenticated")
        assert code not in again.text
        assert http.get(f"/api/sign-in?code={code}").status_code == 405
        refused = [{}, {"code": ""}, {"code": "x" * 201}, {"code": 1}, {"code": "x", "tenant": "other"}]
        assert {http.post("/api/sign-in", json=body).status_code for body in refused} <= {400, 422}
        assert http.post("/api/sign-in", data={"code": code}).status_code == 415
    [made] = [one for one in list_keys("acme") if one.name == KEY_NAME]
    assert made.expires_at is not None


def test_a_server_without_a_folder_has_no_such_route(services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(services), "settings", services.settings.model_copy(update={"sign_in_folder": None}))
    with served() as address:
        assert httpx.post(f"{address}/api/sign-in", json={"code": "x"}, timeout=SECONDS).status_code == 404
