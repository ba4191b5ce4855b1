"""template.yaml, deployed to a cloud on this machine and used over HTTP through API Gateway."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from typer.testing import CliRunner

from modulo.cli.build import ROOT
from modulo.cli.hot_reload import HotReloader
from modulo.cli.local_cloud import UNSUPPORTED, local_cloud
from modulo.cli.main import app
from modulo.cli.stack.process import free_port
from modulo.cli.stack.stack import SERVICES
from modulo.domain.answers.outcome import NOT_FOUND
from modulo.domain.operations.dead_letter import DeadLetterQuery, OperatorDeadLetter
from modulo.domain.tenancy.identity import Principal, Scope, external_id
from modulo.domain.tenancy.quota import Quotas, Reservation, period_of
from modulo.services import Services, install
from modulo.settings import Settings
from tests import documents
from tests.architecture.sources import api_routes, deployed_name
from tests.e2e.deployed import LIGHTHOUSE, QUESTION, Deployed, User, object_created, send_form, until
from tests.sockets import Socket

EMULATORS = [name for name in ("ministack", "localstack") if name in SERVICES]
FUNCTIONS = {path.parent.name for path in ROOT.glob("functions/*/app.py")}
PURGED = ("PurgeQueueUrl", "DeadLettersUrl")
on_one = pytest.mark.parametrize("stack", EMULATORS[-1:], indirect=True)
"""For tests that call every function, each of which starts a process: emulators route by the same template."""


@pytest.fixture(scope="module", params=EMULATORS)
def stack(request: pytest.FixtureRequest, pgbouncer_program: Path) -> Iterator[tuple[Deployed, Services]]:
    """The deployed stack, and our own way to its database, by which keys are given out."""
    data = Path(tempfile.mkdtemp(prefix=f"modulo-{request.param}-"))
    seconds: dict[str, float] = {}
    quick = {"RetryBaseSeconds": "1"}
    builds = ROOT / ".modulo" / "builds"
    try:
        with local_cloud(data, request.param, builds=builds, on_ready=seconds.__setitem__, more=quick) as (
            servers,
            made,
        ):
            ours = Services(Settings(database_url=servers.environment["DATABASE_URL"]))
            install(ours)
            with httpx.Client(base_url=made.url, timeout=60, trust_env=False) as http:
                log = servers.data / "logs" / f"{request.param}.log"
                yield Deployed(request.param, made, http, seconds, log), ours
            ours.close()
    finally:
        install(None)
        shutil.rmtree(data)


def functions_of(deployed: Deployed) -> set[str]:
    return FUNCTIONS - ({"push_events"} if deployed.emulator in UNSUPPORTED else set())


@pytest.fixture
def deployed(stack: tuple[Deployed, Services]) -> Deployed:
    return stack[0]


@pytest.fixture
def ada(deployed: Deployed) -> User:
    return deployed.user()


def routes() -> Iterator[tuple[str, str]]:
    for path, methods in json.loads((ROOT / "infra" / "openapi.json").read_text())["paths"].items():
        for method in methods:
            filled = path.removeprefix("/api")
            for name in re.findall(r"\{(\w+)\}", path):
                filled = filled.replace(f"{{{name}}}", str(uuid4()))
            yield method.upper(), filled


def test_every_resource_is_there(deployed: Deployed) -> None:
    assert not [name for name, (_, physical) in deployed.made.resources.items() if physical in {"", "unknown"}]
    assert set(deployed.made.functions.values()) == {f"modulo-{deployed_name(name)}" for name in functions_of(deployed)}


@on_one
def test_every_route_refuses_callers_without_a_good_token(deployed: Deployed) -> None:
    forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJ0ZW5hbnQiOiJ4In0."
    for method, path in routes():
        if path.startswith("/v1/"):
            continue
        if path == "/health":
            assert deployed.http.get(path).status_code == 200
            continue
        for headers in ({}, {"authorization": "Bearer mod_guessed"}, {"authorization": f"Bearer {forged}"}):
            reply = deployed.http.request(method, path, headers=headers)
            assert (method, path, reply.status_code) == (method, path, 401), reply.text
            assert reply.headers["content-type"] == "application/problem+json"
            assert reply.headers["www-authenticate"].startswith("Bearer")


@on_one
def test_the_door_for_openais_clients_refuses_callers_without_a_key(deployed: Deployed) -> None:
    door = deployed.made.url_of("V1Api", "v1")
    for method, path in routes():
        if path.startswith("/v1/"):
            reply = deployed.http.request(method, door + path.removeprefix("/v1"))
            assert (method, path, reply.status_code) == (method, path, 401), reply.text
            assert reply.json()["error"]["code"] == "invalid_api_key"


def gateway_event(method: str, path: str, stage: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """The event of a request, which holds a credential only where `headers` do."""
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream", **headers}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": str(uuid4()), "identity": {"sourceIp": "127.0.0.1"}, "stage": stage},
        "body": body,
        "isBase64Encoded": False,
    }


def test_the_door_for_assistants_answers_who_has_a_key(deployed: Deployed, ada: User) -> None:
    """By its event: local clouds route no request for the root of an API."""
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    refused = deployed.made.invoke("modulo-mcp-exchange", gateway_event("POST", "/", "mcp", message))
    assert refused["statusCode"] == 401, refused
    event = gateway_event("POST", "/", "mcp", message, authorization=f"Bearer {ada.key}")
    answer = deployed.made.invoke("modulo-mcp-exchange", event)
    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["result"]["tools"]


def test_the_methods_of_a_path_are_told(deployed: Deployed) -> None:
    """By its event: local clouds route no methods that are not named."""
    answer = deployed.made.invoke("modulo-list_methods", gateway_event("OPTIONS", "/collections", "api"))
    assert answer["statusCode"] == 204, answer
    assert {"GET", "HEAD", "POST"} <= set(answer["headers"]["allow"].split(", "))


def test_a_form_upload_is_ingested_found_cited_and_downloaded(ada: User) -> None:
    collection = ada.create()
    content = LIGHTHOUSE.encode()
    digest = hashlib.sha256(content).hexdigest()
    ticket = ada.announce(collection, "lighthouse.txt", len(content), checksum_sha256=digest)
    assert send_form(ticket["upload"], content + b"!").status_code >= 400
    assert ada.file(collection, ticket["file_id"])["stage"] == "awaiting_upload"
    assert send_form(ticket["upload"], content).status_code in {200, 201, 204}
    assert ada.finished(collection, ticket["file_id"])["stage"] == "ready"
    answer = ada.ask(collection)
    assert "41 metres" in answer["answer"]
    assert answer["citations"][0]["title"] == "lighthouse.txt"
    assert answer["citations"][0]["excerpt"] in LIGHTHOUSE
    place = ada("GET", f"/collections/{collection}/files/{ticket['file_id']}/content", 307)["url"]
    fetched = httpx.get(place, timeout=60, trust_env=False)
    assert fetched.content == content
    assert "lighthouse.txt" in fetched.headers["content-disposition"]


def test_a_direct_upload_arrives_byte_for_byte(ada: User) -> None:
    collection = ada.create()
    content = documents.pdf()
    file = ada.finished(collection, ada.upload(collection, "report.pdf", content))
    assert (file["stage"], file["checksum_sha256"]) == ("ready", hashlib.sha256(content).hexdigest())
    found = ada.ask(collection, "When did the committee approve the budget?")
    assert found["documents"][0]["author"] == documents.AUTHOR
    assert [one["name"] for one in ada("GET", f"/collections/{collection}/files", 200)["items"]] == ["report.pdf"]
    assert ada("GET", "/usage", 200)["storage_bytes"] == len(content)


def test_an_address_is_fetched_in_the_background_and_its_progress_is_told(ada: User) -> None:
    collection = ada.create()
    told, _ = ada.watch(collection)
    assert told == [("snapshot", {"files": [], "complete": True})]
    body = {"url": "http://[3000::1]/page.html"}  # of the addresses that nobody has been given
    file = ada("POST", f"/collections/{collection}/urls", 202, json=body)["file_id"]
    assert ada.finished(collection, file)["problem"]["code"] == "unreachable-url"
    letters = f"/collections/{collection}/dead-letters"
    until(lambda: ada("GET", letters, 200)["items"], what="the message that was given up is a dead letter")
    ((name, snapshot),), position = ada.watch(collection)
    assert (name, snapshot["files"][0]["stage"]) == ("snapshot", "failed")
    ada("DELETE", f"/collections/{collection}/files/{file}", 202)
    told, _ = ada.watch(collection, position)
    assert [(name, data["file_id"], data["stage"]) for name, data in told] == [("file", file, "deleting")]


def test_collections_are_listed_changed_shared_and_kept_from_others(deployed: Deployed, ada: User) -> None:
    collection = ada.create("papers")
    assert [one["id"] for one in ada("GET", "/collections", 200)["items"]] == [collection]
    assert ada("PATCH", f"/collections/{collection}", 200, json={"name": "reports"})["name"] == "reports"
    bob, stranger = deployed.user("bob", ada.tenant), deployed.user()
    own = bob.create("of bob")
    bob_id = bob("GET", f"/collections/{own}/members", 200)["items"][0]["user_id"]
    bob("GET", f"/collections/{collection}", 404)
    ada("PUT", f"/collections/{collection}/members/{bob_id}", 200, json={"role": "viewer"})
    assert bob("GET", f"/collections/{collection}", 200)["name"] == "reports"
    bob("DELETE", f"/collections/{collection}", 403)
    ada("DELETE", f"/collections/{collection}/members/{bob_id}", 204)
    bob("GET", f"/collections/{collection}", 404)
    stranger("GET", f"/collections/{collection}", 404)
    stranger("POST", "/search", 404, json={"question": QUESTION, "collection_id": collection})


def test_what_is_deleted_is_gone_everywhere(deployed: Deployed, ada: User) -> None:
    collection = ada.create()
    file = ada.upload(collection, "lighthouse.txt", LIGHTHOUSE)
    ada.finished(collection, file)
    prefix = f"tenants/{external_id('modulo', f'tenant:{ada.tenant}')}/"
    assert ada.ask(collection)["metadata"]["found"] is True
    assert len(deployed.versions(prefix)) == 1
    ada("DELETE", f"/collections/{collection}/files/{file}", 202)
    gone = ada.ask(collection)
    assert (gone["answer"], gone["query_results"]) == (NOT_FOUND, [])
    ada("GET", f"/collections/{collection}/files/{file}", 404)
    until(lambda: not deployed.versions(prefix), what="no version of the object is left")
    until(lambda: ada("GET", "/usage", 200)["storage_bytes"] == 0, what="the bytes are given back")
    ada.finished(collection, ada.upload(collection, "again.txt", LIGHTHOUSE))
    ada("DELETE", f"/collections/{collection}", 202)
    ada("GET", f"/collections/{collection}", 404)
    until(lambda: not deployed.versions(prefix), what="the collection's objects are gone")
    deployed.until_empty(*PURGED)


def test_events_that_come_twice_late_or_early_change_nothing(stack: tuple[Deployed, Services], ada: User) -> None:
    deployed = stack[0]
    collection, bucket = ada.create(), deployed.made.outputs["Uploads"]
    ticket = ada.announce(collection, "launch.txt", 24)
    file, first = ticket["file_id"], ticket["upload"]["fields"]["key"]
    deployed.send("IngestQueueUrl", object_created(bucket, first, size=24, sequencer="01"))  # before there is any
    deployed.until_empty("IngestQueueUrl")
    assert ada.file(collection, file)["stage"] == "awaiting_upload"
    assert send_form(ticket["upload"], b"The launch is on Monday.").is_success
    ada.finished(collection, file)
    ticket = ada.announce(collection, "launch.txt", 24)
    assert send_form(ticket["upload"], b"The launch is on Friday.").is_success
    until(lambda: ada.file(collection, file)["live_generation"] == 2, what="the second generation is live")
    deployed.until_empty(*PURGED)
    before, second = ada.file(collection, file), ticket["upload"]["fields"]["key"]
    dead = stack[1].dead_letters.list_all_dead_letters(DeadLetterQuery(100))
    for key, sequencer in ((second, "03"), (first, "02"), (second, "03"), (first, "01"), ("tenants/x/y", "04")):
        deployed.send("IngestQueueUrl", object_created(bucket, key, size=24, sequencer=sequencer))
    deployed.until_empty("IngestQueueUrl")
    assert ada.file(collection, file) == before
    assert deployed.waiting("DeadLettersUrl") == 0
    assert stack[1].dead_letters.list_all_dead_letters(DeadLetterQuery(100)) == dead
    found = ada.ask(collection, "When is the launch?")
    assert [result["chunk"]["text"] for result in found["query_results"]] == ["The launch is on Friday."]


def test_what_is_given_up_becomes_a_letter_that_is_retried_and_discarded(
    stack: tuple[Deployed, Services], ada: User
) -> None:
    """A message nobody can read, and a file whose model is down; once that is mended, a retry saves the file."""
    deployed, ours = stack
    collection, ingest = ada.create(), deployed.made.functions["IngestFile"]
    path = f"/collections/{collection}/dead-letters"
    present = deployed.client("lambda").get_function_configuration(FunctionName=ingest)["Environment"]["Variables"]
    deployed.set_environment(ingest, EMBEDDING_URL=f"http://127.0.0.1:{free_port()}/v1")
    file = ada.upload(collection, "lighthouse.txt", LIGHTHOUSE)
    deployed.send("IngestQueueUrl", {"poison": True})

    def unreadable() -> list[OperatorDeadLetter]:
        page = ours.dead_letters.list_all_dead_letters(DeadLetterQuery(100))
        return [letter for letter in page.items if letter.body == '{"poison": true}']

    [letter] = until(lambda: ada("GET", path, 200)["items"], what="the file's message was given up")
    [poison] = until(unreadable, what="the other one too")
    whose = None if deployed.emulator == "ministack" else "ingest_file"  # its events do not name the queue that gave up
    assert (poison.function, poison.problem.code) == (whose, "unreadable-message")
    assert (letter["file_id"], letter["state"], letter["problem"]["code"]) == (file, "waiting", "unavailable")
    assert ada.file(collection, file)["problem"] == letter["problem"]
    deployed.until_empty("IngestQueueUrl", "DeadLettersUrl")
    deployed.set_environment(ingest, EMBEDDING_URL=present["EMBEDDING_URL"])
    assert [one["id"] for one in ada("POST", f"{path}/retry", 202)["items"]] == [letter["id"]]
    ada.finished(collection, file, "ready")
    assert "41 metres" in ada.ask(collection)["answer"]
    assert [one["state"] for one in ada("GET", path, 200)["items"]] == ["closed"]
    ada("POST", f"{path}/{letter['id']}/retry", 409)
    ada("DELETE", f"{path}/{letter['id']}", 204)
    assert ada("GET", path, 200)["items"] == []
    assert ours.dead_letters.discard_dead_letters(None, [poison.id]) == 1


def test_a_schedule_resets_quotas(stack: tuple[Deployed, Services]) -> None:
    """The target of the template's own schedule, at a time that comes soon; the nightly one is declared."""
    deployed, ours = stack
    scheduler, name = deployed.client("scheduler"), deployed.made.resources["ResetQuotasTick"][1].rpartition("/")[2]
    nightly = scheduler.get_schedule(Name=name)
    assert nightly["ScheduleExpression"] == "cron(0 0 * * ? *)"
    assert (nightly["ScheduleExpressionTimezone"], nightly["State"]) == ("UTC", "ENABLED")
    ada = deployed.user()
    collection = UUID(ada.create())
    principal = Principal(*(external_id("modulo", text) for text in names_of(ada)), frozenset(Scope))
    yesterday = period_of(datetime.now(UTC) - timedelta(days=1))
    left_behind = Reservation(yesterday, 500, 1_000)
    assert ours.grants.live_documents(principal, [collection], [], reservation=left_behind).reserved
    soon = datetime.now(UTC) + timedelta(seconds=2)
    scheduler.create_schedule(
        Name="soon",
        ScheduleExpression=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScheduleExpressionTimezone="UTC",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=nightly["Target"],
    )

    def reserved() -> int:
        return ours.usage.get_usage(principal, period=yesterday, quotas=Quotas()).tokens_reserved

    until(lambda: reserved() == 0, what="the reservation that a crash left behind is dropped")


def names_of(user: User) -> tuple[str, str]:
    return f"tenant:{user.tenant}", f"user:{user.tenant}:ada"


def test_what_changes_is_pushed_to_who_watches_on_a_socket(deployed: Deployed, ada: User) -> None:
    if deployed.emulator in UNSUPPORTED:
        pytest.skip("LocalStack has no WebSockets")
    collection = ada.create()
    said = {"action": "watch", "token": ada.key, "collection_id": collection}
    with closing(Socket(deployed.made.sockets_url)) as opened, closing(Socket(deployed.made.sockets_url)) as other:
        first = opened.say(json.dumps(said)).hear()
        assert first["events"] == [{"event": "snapshot", "data": {"files": [], "complete": True}}]
        file = ada.upload(collection, "lighthouse.txt", LIGHTHOUSE)
        told = [opened.hear()]
        while told[-1]["events"][-1]["data"]["stage"] != "ready":
            told.append(opened.hear())
        stages = [event["data"]["stage"] for message in told for event in message["events"]]
        assert {event["data"]["file_id"] for message in told for event in message["events"]} == {file}
        assert len(set(stages)) == len(stages), "nothing is told twice"
        assert [message["id"] for message in told] == sorted(message["id"] for message in told)
        stolen = {**said, "token": deployed.user("eve").key}
        assert other.say(json.dumps(stolen)).hear()["events"][0]["data"]["status"] == 404
        assert other.rest() == []
        ada("DELETE", f"/collections/{collection}", 202)
        assert [event["event"] for event in opened.hear()["events"]] == ["end"]
        assert opened.rest() == []


def test_an_operator_works_in_the_deployment_through_iam_alone(deployed: Deployed) -> None:
    def modulo(group: str, *arguments: str) -> str:
        done = CliRunner().invoke(
            app, [group, "--aws", "modulo", *arguments], env=dict(deployed.made.cloud.environment)
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    tenant = f"tenant-{uuid4()}"
    key = modulo("keys", "create", "--tenant", tenant, "--user", "ada", "--name", "first").strip()
    ada = User(deployed.http, key, tenant)
    collection = ada.create()
    assert " valid    first" in modulo("keys", "list", "--tenant", tenant)
    assert tenant in modulo("tenants", "list")
    tenant_id = str(external_id("modulo", f"tenant:{tenant}"))
    assert modulo("tenants", "reembed", tenant_id) == f"{collection}  started\n"
    assert ada("GET", f"/collections/{collection}/reembedding", 200)["collection_id"] == collection
    receipt = modulo("tenants", "delete", tenant_id, "--yes").strip()
    assert json.loads(modulo("tenants", "receipt", tenant_id))["id"] == receipt


def test_the_sweep_is_fired_by_its_schedule(deployed: Deployed) -> None:
    sweep = deployed.made.functions["Sweep"]
    until(lambda: deployed.invocations(sweep) >= 1, what="a minute has passed")


def test_every_function_was_invoked_by_what_the_template_connects(deployed: Deployed) -> None:
    """By the cloud's own account; `migrate` is invoked by the deployment, and `admin` by an operator."""
    called = [name for name in functions_of(deployed) if deployed.emulator == EMULATORS[-1] or not api_routes(name)]
    counts: dict[str, Any] = {name: deployed.invocations(f"modulo-{deployed_name(name)}") for name in sorted(called)}
    assert {name for name, count in counts.items() if count == 0} == set(), counts


def test_what_is_edited_is_live_on_the_next_invocation(
    deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last test: what was deployed is another product from here on."""

    def version() -> str:
        return str(deployed.http.get("/health?probe=live").json()["version"])

    def edit(path: str, old: str, new: str) -> list[str]:
        source = tmp_path / path
        source.write_text(source.read_text().replace(old, new))
        return reloader.reload_edited()

    without = shutil.ignore_patterns("__pycache__", "cli")
    for place in ("functions", "layers", "infra/migrations"):
        shutil.copytree(ROOT / place, tmp_path / place, ignore=without)
    certificates = Path("infra/kubernetes/base/rds.pem")
    (tmp_path / certificates).parent.mkdir(parents=True)
    shutil.copy(ROOT / certificates, tmp_path / certificates)
    monkeypatch.setattr("modulo.cli.hot_reload.ROOT", tmp_path)
    reloader, function, released = HotReloader(deployed.made), deployed.made.functions["Health"], version()
    assert reloader.reload_edited() == []
    core = "layers/core/python/modulo/__init__.py"
    assert function in edit(core, released, "9.9.9")
    assert version() == "9.9.9"
    assert edit("functions/health/app.py", "version=__version__", 'version="edited"') == [function]
    assert version() == "edited"
