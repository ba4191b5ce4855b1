"""The parts of the local cloud's function runner that need no LocalStack: layers, edits, the runtime API, reports."""

import http.client
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from modulo_localstack import reports
from modulo_localstack.exchange import Answer, Exchange, Invocation
from modulo_localstack.layout import fingerprint, overlay
from modulo_localstack.process import Function, environment_of
from modulo_localstack.runtime_api import MAX_RESPONSE_BYTES, VERSION, RuntimeApi

EVENT = Invocation("id-1", "arn:aws:lambda:us-east-1:000000000000:function:f", b'{"a": 1}', "Root=1")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def read(root: Path) -> dict[str, str]:
    found = {}
    for directory, _, names in os.walk(root, followlinks=True):
        for name in names:
            file = Path(directory, name)
            found[str(file.relative_to(root))] = file.read_text()
    return found


class TestOverlay:
    def test_layers_lie_over_each_other_as_if_unpacked_in_their_order(self, tmp_path: Path) -> None:
        first = write(tmp_path / "1", {"python/a/__init__.py": "1", "python/a/x.py": "1", "python/only.py": "1"})
        second = write(tmp_path / "2", {"python/a/x.py": "2", "python/a/y.py": "2", "bin/tool": "2"})
        third = write(tmp_path / "3", {"python/a/y.py": "3", "python/b/deep/z.py": "3"})
        overlay([first, second, third], tmp_path / "opt")
        assert read(tmp_path / "opt") == {
            "python/a/__init__.py": "1",
            "python/a/x.py": "2",
            "python/a/y.py": "3",
            "python/only.py": "1",
            "python/b/deep/z.py": "3",
            "bin/tool": "2",
        }

    def test_no_layers_make_an_empty_directory(self, tmp_path: Path) -> None:
        overlay([], tmp_path / "opt")
        assert list((tmp_path / "opt").iterdir()) == []

    def test_edits_show_through(self, tmp_path: Path) -> None:
        layer = write(tmp_path / "1", {"python/a/x.py": "old"})
        overlay([layer], tmp_path / "opt")
        (layer / "python/a/x.py").write_text("new")
        assert read(tmp_path / "opt") == {"python/a/x.py": "new"}


class TestFingerprint:
    def test_it_changes_with_every_edit_and_only_then(self, tmp_path: Path) -> None:
        code = write(tmp_path, {"app.py": "1", "lib/x.py": "1"})
        seen = [fingerprint([code])]
        assert fingerprint([code]) == seen[0]
        (code / "lib/x.py").write_text("22")
        seen.append(fingerprint([code]))
        (code / "new.py").write_text("")
        seen.append(fingerprint([code]))
        (code / "app.py").unlink()
        seen.append(fingerprint([code]))
        assert len(set(seen)) == 4

    def test_it_ignores_what_is_no_code_and_what_vanishes(self, tmp_path: Path) -> None:
        code = write(tmp_path, {"app.py": "1"})
        before = fingerprint([code])
        write(code, {"__pycache__/app.pyc": "x", ".git/HEAD": "x", ".app.py.swp": "x"})
        (code / "link").symlink_to("nowhere")
        assert fingerprint([code]) == before
        assert fingerprint([tmp_path / "missing"]) == frozenset()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(timeout=3)


@pytest.fixture
def api(exchange: Exchange) -> Iterator[http.client.HTTPConnection]:
    server = RuntimeApi(exchange)
    connection = http.client.HTTPConnection(server.address, timeout=10)
    yield connection
    exchange.end(0)
    connection.close()
    server.stop()


def ask(api: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    api.request(method, VERSION + path, body)
    response = api.getresponse()
    return response.status, response.read()


class TestRuntimeApi:
    def test_it_hands_an_event_out_and_takes_the_answer(
        self, api: http.client.HTTPConnection, exchange: Exchange
    ) -> None:
        exchange.offer(EVENT)
        api.request("GET", f"{VERSION}/invocation/next")
        response = api.getresponse()
        assert response.read() == EVENT.payload
        assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
        assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == EVENT.function_arn
        assert ask(api, "POST", "/invocation/id-1/response", b'"done"') == (202, b"")
        assert exchange.await_answer(0) == Answer(b'"done"')

    def test_asking_for_work_means_ready(self, api: http.client.HTTPConnection, exchange: Exchange) -> None:
        assert not exchange.await_ready(0)
        api.request("GET", f"{VERSION}/invocation/next")
        assert exchange.await_ready(5)

    def test_errors_are_failures(self, api: http.client.HTTPConnection, exchange: Exchange) -> None:
        exchange.offer(EVENT)
        ask(api, "GET", "/invocation/next")
        assert ask(api, "POST", "/invocation/id-1/error", b"{}")[0] == 202
        assert exchange.await_answer(0) == Answer(b"{}", failed=True)

    def test_a_failed_start_is_an_answer_too(self, api: http.client.HTTPConnection, exchange: Exchange) -> None:
        assert ask(api, "POST", "/init/error", b'{"errorType": "X"}')[0] == 202
        assert not exchange.await_ready(0)
        assert exchange.await_answer(0) == Answer(b'{"errorType": "X"}', failed=True)

    def test_an_answer_in_pieces_is_put_together(self, api: http.client.HTTPConnection, exchange: Exchange) -> None:
        exchange.offer(EVENT)
        ask(api, "GET", "/invocation/next")
        api.request("POST", f"{VERSION}/invocation/id-1/response", iter([b'"do', b'ne"']), encode_chunked=True)
        assert api.getresponse().read() == b""
        assert exchange.await_answer(0) == Answer(b'"done"')

    def test_only_the_invocation_under_way_can_be_answered(
        self, api: http.client.HTTPConnection, exchange: Exchange
    ) -> None:
        assert ask(api, "POST", "/invocation/id-1/response", b"1")[0] == 400
        exchange.offer(EVENT)
        ask(api, "GET", "/invocation/next")
        assert ask(api, "POST", "/invocation/id-2/response", b"2")[0] == 400
        assert ask(api, "POST", "/invocation/id-1/response", b"3")[0] == 202
        assert ask(api, "POST", "/invocation/id-1/response", b"4")[0] == 400
        assert exchange.await_answer(0) == Answer(b"3")

    def test_an_answer_over_the_limit_fails_as_on_aws(
        self, api: http.client.HTTPConnection, exchange: Exchange
    ) -> None:
        exchange.offer(EVENT)
        ask(api, "GET", "/invocation/next")
        assert ask(api, "POST", "/invocation/id-1/response", b"x" * (MAX_RESPONSE_BYTES + 1))[0] == 413
        answer = exchange.await_answer(0)
        assert answer is not None
        assert answer.failed
        assert json.loads(answer.payload)["errorType"] == "Function.ResponseSizeTooLarge"

    def test_unknown_paths_are_not_found(self, api: http.client.HTTPConnection) -> None:
        assert ask(api, "GET", "/elsewhere")[0] == 404
        assert ask(api, "POST", "/elsewhere", b"")[0] == 404


class TestExchange:
    def test_the_end_of_the_process_ends_every_wait(self, exchange: Exchange) -> None:
        threading.Timer(0.05, exchange.end, [1]).start()
        assert exchange.take() is None
        assert exchange.await_answer(5) is None
        assert not exchange.await_ready(5)

    def test_an_event_that_nobody_took_is_known(self, exchange: Exchange) -> None:
        exchange.offer(EVENT)
        assert exchange.untaken
        assert exchange.take() is not None
        assert not exchange.untaken

    def test_waiting_times_out_and_can_be_aborted(self, exchange: Exchange) -> None:
        exchange.offer(EVENT)
        assert exchange.await_answer(0.01) is None
        assert exchange.await_answer(60, abort=lambda: True) is None


class TestReports:
    @pytest.mark.parametrize(
        ("code", "message"),
        [
            (0, "Runtime exited without providing a reason"),
            (3, "Runtime exited with error: exit status 3"),
            (-9, "Runtime exited with error: signal: killed"),
            (-11, "Runtime exited with error: signal: segmentation fault"),
        ],
    )
    def test_an_exit_during_an_invocation_is_reported_in_the_words_of_aws(self, code: int, message: str) -> None:
        answer = reports.exited("id-1", code)
        assert answer.failed
        assert json.loads(answer.payload) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: id-1 Error: {message}",
        }

    def test_the_log_ends_with_a_report(self) -> None:
        lines = reports.last_lines("id-1", seconds=0.0123, memory=128, used=40, start=0.5, answer=Answer(b"1"))
        assert lines == (
            "END RequestId: id-1\n"
            "REPORT RequestId: id-1\tDuration: 12.30 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 40 MB\tInit Duration: 500.00 ms\t\n"
        )

    def test_it_tells_a_timeout(self) -> None:
        answer = reports.timed_out("id-1", 3)
        lines = reports.last_lines("id-1", seconds=3, memory=128, used=40, start=None, answer=answer)
        assert "id-1 Task timed out after 3.00 seconds" in lines
        assert "\tStatus: timeout\t" in lines


def test_variables_are_lambdas_with_paths_of_this_machine(tmp_path: Path) -> None:
    own = {"CA": "/opt/python/ca.pem", "HERE": "/var/task", "OTHER": "/optical", "PYTHONPATH": "/more", "HOME": "/x"}
    function = Function(
        handler="app.handler",
        version="1",
        python=Path("/venv/bin/python"),
        code=Path("/code"),
        timeout=3,
        memory=128,
        variables=own,
    )
    found = environment_of(function, tmp_path, "127.0.0.1:1")
    assert found["CA"] == f"{tmp_path}/opt/python/ca.pem"
    assert found["HERE"] == "/code"
    assert found["OTHER"] == "/optical"
    assert found["PYTHONPATH"].split(":") == [
        "/code",
        f"{tmp_path}/opt/python/lib/python3.11/site-packages",
        f"{tmp_path}/opt/python",
        "/more",
    ]
    assert found["HOME"] == f"{tmp_path}/tmp"  # nobody's own credentials are found there
    assert found["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:1"
    assert not {name for name in found if name in os.environ and name.startswith("MODULO")}
