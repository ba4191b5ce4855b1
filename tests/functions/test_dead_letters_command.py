"""`modulo dead-letters`, the operator's view of every tenant's letters and of nobody's."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from modulo.cli.main import app
from modulo.domain.files.file import FileRef
from modulo.domain.tenancy.identity import external_id
from modulo.runtime.admin import dead_letters
from modulo.runtime.worker import function
from tests.doubles.memory_queue import MemoryQueue
from tests.functions.conftest import SETTLED, as_user, letters_of, record_dead_letter_about, sqs_event


def modulo(*arguments):
    done = CliRunner().invoke(app, ["dead-letters", *map(str, arguments)], env=SETTLED)
    return done.exit_code, done.output


def unreadable(body, queue="ingest"):
    event = sqs_event(body)
    event["Records"][0]["messageId"] = str(uuid4())
    event["Records"][0]["attributes"]["DeadLetterQueueSourceArn"] = f"arn:aws:sqs:eu-west-1:1:{queue}"
    assert function("record_dead_letter").handler(event, None) == {"batchItemFailures": []}


@pytest.fixture
def apis(services, clock):
    """Two tenants with a letter each, the second one's being the newer."""
    made = []
    for tenant in ("acme", "globex"):
        api = as_user("ada", tenant)
        at = api.create_collection()
        file = api.upload(at, "content", "vault.txt")["file_id"]
        record_dead_letter_about(FileRef(external_id("modulo", f"tenant:{tenant}"), UUID(at), UUID(file), 1))
        clock.advance(timedelta(minutes=1))
        made.append((api, at))
    return made


@pytest.fixture
def queue(services, monkeypatch):
    """Unreadable messages are known to be those of `ingest_file`."""
    object.__setattr__(services.settings, "ingest_queue_url", "https://sqs/1/ingest")
    services.ingests = MemoryQueue()
    return services.ingests


def test_letters_of_all_tenants_and_of_nobody_are_listed(apis, queue, monkeypatch):
    monkeypatch.setattr(dead_letters, "PAGE", 2)
    unreadable('{"poison":   1}')
    code, output = modulo("list")
    assert code == 0
    [newest, *others] = output.splitlines()
    assert "waiting" in newest
    assert newest.endswith('ingest_file  unreadable-message  {"poison": 1}')
    tenants = [str(external_id("modulo", f"tenant:{tenant}")) for tenant in ("globex", "acme")]
    assert [tenant in line for tenant, line in zip(tenants, others, strict=True)] == [True, True]
    assert modulo("list", "--state", "closed") == (0, "")


def test_all_are_retried_or_one(apis, queue, monkeypatch):
    unreadable('{"poison": 1}')
    monkeypatch.setattr(dead_letters, "PAGE", 1)
    assert modulo("retry", "--all") == (0, "2 sent again\n")
    assert len(queue.receive(limit=9, wait_seconds=0)) == 2, "the unreadable one is not among them"
    assert modulo("retry", "--all") == (0, "0 sent again\n")
    assert [letter["state"] for api, at in apis for letter in letters_of(api, at)] == ["retried", "retried"]
    newest = modulo("list", "--state", "waiting")[1].split()[0]
    assert modulo("retry", newest) == (0, "1 sent again\n")
    [delivery] = queue.receive(limit=9, wait_seconds=0)
    assert delivery.body == '{"poison": 1}'


@pytest.mark.parametrize(("body", "source"), [("nonsense", "ingest"), ("[1]", "ingest"), ('{"a": 1}', "another")])
def test_what_never_can_be_read_is_only_discarded(queue, body, source):
    unreadable(body, source)
    letter = modulo("list")[1].split()[0]
    assert modulo("retry", letter) == (1, "modulo: This message can never be read: discard it.\n")
    assert modulo("discard", letter) == (0, "1 discarded\n")
    assert modulo("discard", letter) == (1, "modulo: There is no such letter.\n")


def test_closed_letters_are_not_retried_but_discarded(apis, queue):
    api, at = apis[0]
    [letter] = letters_of(api, at)
    api("DELETE", f"/collections/{at}/files/{letter['file_id']}")
    assert modulo("retry", letter["id"])[0] == 1
    assert modulo("discard", "--all", "--state", "closed") == (0, "1 discarded\n")
    unreadable("nonsense")
    assert modulo("discard", "--all") == (0, "2 discarded\n")
    assert modulo("list") == (0, "")


def test_a_command_names_one_or_all(services):
    for command in ("retry", "discard"):
        for arguments in ([], [uuid4(), "--all"]):
            assert modulo(command, *arguments) == (1, "modulo: name one letter, or --all\n")
