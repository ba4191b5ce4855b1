"""What a path's own functions do not take: a gateway sends it to a function that knows the methods of every path."""

from pathlib import Path
from uuid import uuid4

import pytest

from modulo.cli.methods import module
from modulo.runtime import path_methods
from modulo.runtime.worker import function

APP = "https://app.example.org"
CORS = pytest.mark.parametrize("settings", [{"allowed_origins": [APP, "http://localhost:3000"]}], indirect=True)


def call(method, path="/collections", **headers):
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"requestId": str(uuid4()), "identity": {"sourceIp": "127.0.0.1"}, "stage": "api"},
        "body": None,
        "isBase64Encoded": False,
    }
    return function("list_methods").handler(event, None)


def test_the_methods_of_every_path_are_known():
    assert Path(path_methods.__file__).read_text() == module(), "run `make openapi`"


def test_options_names_the_methods_of_a_path(services):
    answer = call("OPTIONS")
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert answer["headers"]["allow"] == "GET, HEAD, OPTIONS, POST"
    assert call("OPTIONS", f"/collections/{uuid4()}")["headers"]["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


def test_another_method_is_not_allowed(services):
    answer = call("PUT")
    assert answer["statusCode"] == 405
    assert answer["headers"]["allow"] == "GET, HEAD, OPTIONS, POST"
    assert "use one of GET, HEAD, OPTIONS, POST" in answer["body"]


def test_what_has_a_function_of_its_own_is_not_answered_here(services):
    assert call("GET")["statusCode"] == 404


def preflight(origin, **more):
    return call("OPTIONS", "/search", origin=origin, access_control_request_method="POST", **more)["headers"]


@CORS
def test_a_preflight_is_answered_without_a_credential(services):
    told = preflight(APP, access_control_request_headers="authorization,x-stainless-os")
    assert told["access-control-allow-origin"] == APP
    assert told["access-control-allow-methods"] == "OPTIONS, POST"
    assert told["access-control-allow-headers"] == "authorization,x-stainless-os"
    assert told["vary"] == "Origin"
    assert int(told["access-control-max-age"]) > 0
    assert "access-control-allow-credentials" not in told


@CORS
@pytest.mark.parametrize("origin", ["https://evil.example", "null", APP + ".evil.example", APP.upper(), "*", ""])
def test_another_origin_is_told_nothing(services, origin):
    told = preflight(origin)
    assert not [name for name in told if name.startswith("access-control")]
    assert told["vary"] == "Origin"


@CORS
@pytest.mark.parametrize("asked", ["x\r\nset-cookie: a=b", "x" * 3_000, "(", "é"])
def test_what_names_no_headers_is_not_repeated(services, asked):
    told = preflight(APP, access_control_request_headers=asked)
    assert told["access-control-allow-headers"] == "Authorization, Content-Type, Idempotency-Key, X-API-Key"


def test_no_origin_is_allowed_by_default(services):
    assert not [name for name in preflight(APP) if name.startswith("access-control") or name == "vary"]


@pytest.mark.parametrize("settings", [{"allowed_origins": ["*"]}], indirect=True)
def test_every_origin_may_be_allowed(services):
    told = preflight("https://anything.example")
    assert told["access-control-allow-origin"] == "*"
    assert "vary" not in told
