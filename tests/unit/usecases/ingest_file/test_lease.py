"""The lease of a claim is renewed while its holder works, and not for ever."""

import threading
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import Stage
from modulo.usecases.ingest_file import lease as module
from modulo.usecases.ingest_file.lease import ClaimLease, ClaimLostError

NOW = datetime(2026, 3, 14, 9, 26, tzinfo=UTC)
LEASE_SECONDS = 0.03


class Ingestion:
    """Records renewals; answers what it is told to, in turn, the last answer for ever."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.renewed = []
        self.enough = threading.Event()

    def advance(self, claim, stage, *, lease_until, now, **pages):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.renewed.append((stage, lease_until - now))
        if len(self.renewed) >= 5:
            self.enough.set()
        if isinstance(answer, Exception):
            raise answer
        return answer


def lease_of(ingestion):
    claim = SimpleNamespace(ref=SimpleNamespace(file_id=uuid4()))
    clock = SimpleNamespace(now=lambda: NOW)
    return ClaimLease(claim=claim, ingestion=ingestion, parts=None, clock=clock, lease_seconds=LEASE_SECONDS)


def test_it_is_renewed_in_the_stage_that_was_reached_last():
    ingestion = Ingestion(True)
    lease = lease_of(ingestion)
    with lease.heartbeat():
        lease.advance(Stage.embedding)
        assert ingestion.enough.wait(60)
    assert {stage for stage, _ in ingestion.renewed} <= {Stage.parsing, Stage.embedding}
    assert ingestion.renewed[-1] == (Stage.embedding, timedelta(seconds=LEASE_SECONDS))


def test_a_renewal_that_fails_is_tried_again(caplog):
    ingestion = Ingestion(Unavailable("down"), Unavailable("down"), True)
    with lease_of(ingestion).heartbeat():
        assert ingestion.enough.wait(60)
    assert caplog.text.count("not renewed, trying again: down") == 2


def test_it_ends_with_the_context_and_with_the_claim():
    ingestion = Ingestion(True)
    with lease_of(ingestion).heartbeat():
        pass
    number = len(ingestion.renewed)
    lost = Ingestion(False)
    with lease_of(lost).heartbeat():
        time.sleep(LEASE_SECONDS * 3)
    assert len(lost.renewed) == 1
    assert len(ingestion.renewed) == number


def test_it_ends_when_no_worker_may_work_any_longer(monkeypatch):
    monkeypatch.setattr(module, "MAX_PART_SECONDS", LEASE_SECONDS)
    ingestion = Ingestion(True)
    with lease_of(ingestion).heartbeat():
        until = time.monotonic() + 10
        while len(ingestion.renewed) < module.RENEWALS - 1 and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(LEASE_SECONDS * 3)
    assert len(ingestion.renewed) <= module.RENEWALS


def test_a_step_of_a_claim_that_is_lost_says_so():
    with pytest.raises(ClaimLostError):
        lease_of(Ingestion(False)).advance(Stage.embedding)
