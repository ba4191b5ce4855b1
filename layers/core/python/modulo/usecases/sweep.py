"""Fail files whose deadline has passed, and requeue work that was interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.files.generation import REPEAT_AFTER, UNCLAIMED_AFTER
from modulo.domain.model import FrozenModel
from modulo.domain.operations.messages import FetchRequest, IngestRequest
from modulo.domain.operations.purge import PurgeRequest
from modulo.usecases.postpone_deadlines import postpone_deadlines

if TYPE_CHECKING:
    from datetime import datetime

    from modulo.domain.operations.sweep import SweepFindings
    from modulo.ports.blobs import Blobs
    from modulo.ports.clock import Clock
    from modulo.ports.metadata.conversations import Conversations
    from modulo.ports.metadata.deletions import Deletions
    from modulo.ports.metadata.subscriptions import Subscriptions
    from modulo.ports.metadata.sweeping import Sweeping
    from modulo.ports.metrics import Metrics
    from modulo.ports.queue import Queue

BATCH_SIZE = 500
MAX_ROUNDS = 10
MAX_REPORTED_NAMES = 20
PUSH_INTERVAL = timedelta(seconds=50)
"""Each subscription is pushed to about every minute, even if the messages about its changes got lost."""
OUTCOMES: Mapping[str, str] = {"failed": "failed", "requeue": "requeued", "purge": "purged"}
"""The metrics' outcome labels, by kind of finding."""


class SweepReport(FrozenModel):
    """What a sweep did: counts, the age of the oldest by outcome, and the names of the first 20 of each outcome.

    A name is tenant/collection/file/generation, as far as there is one. Dead letters are deleted after 30 days.
    """

    failed: int = 0
    requeued: int = 0
    purges: int = 0
    oldest_seconds: Mapping[str, int] = {}
    files: Mapping[str, tuple[str, ...]] = {}
    letters_forgotten: int = 0
    conversations_expired: int = 0
    more: bool = False
    """Whether more may be left for the next sweep."""
    rested: bool = False
    """Whether the sweep was skipped without a query, because nothing could be due."""


@dataclass(slots=True)
class Rest:
    """Until when sweeps of this environment skip Postgres; None to query it."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues that interrupted work is put into again; sweeps rest only while all but `pushes` are empty."""

    ingests: Queue
    fetches: Queue
    purges: Queue
    dead_letters: Queue
    pushes: Queue


@dataclass(frozen=True, slots=True)
class Periods:
    """How long files may take, receipts and unused conversations are kept, and sweeps may rest at most."""

    deadline_seconds: int
    receipt_days: int
    conversation_days: int
    rest_seconds: int


def sweep(
    *,
    deletions: Deletions,
    conversations: Conversations,
    subscriptions: Subscriptions,
    sweeping: Sweeping,
    blobs: Blobs,
    queues: Queues,
    metrics: Metrics,
    clock: Clock,
    periods: Periods,
    rest: Rest,
) -> SweepReport:
    """Fail files whose deadline has passed; requeue files whose worker died, or whose message got lost; requeue purges.

    A file that nobody claims counts as lost after a minute while the queues are empty, and after ten while they are
    not; where its bytes did not arrive yet, its message changes nothing. A stored file that waits for its turn in a
    long queue gets another `deadline_seconds` each time its deadline passes, for a day at most. While the object store
    does not tell whether files are stored, they wait, too.

    Subscriptions that were not pushed to lately are queued too: not every change is one of a file, and a message may
    get lost.

    It repeats until nothing is left, for at most 10 rounds of 500 of each. Receipts of deletions are deleted
    `receipt_days` after their completion, and conversations `conversation_days` after their last use.

    Where nothing is due and no message is in a queue, later sweeps rest: they skip Postgres, which may then scale to
    zero, until something is due, a message is queued, or `rest_seconds` have passed. `rest_seconds` must not exceed
    the deadline of files, so that a sweep learns of each deadline before it passes.

    Raises:
        Unavailable: Postgres or a queue did not answer; a later sweep finds the same again.
    """
    now = clock.now()
    no_uploads = _queues_empty(queues.ingests, queues.fetches)
    idle = periods.rest_seconds > 0 and no_uploads and _queues_empty(queues.purges, queues.dead_letters)
    if idle and rest.until is not None and now < rest.until:
        return SweepReport(rested=True)
    rest.until = None
    if not no_uploads:  # in empty queues no file waits for its turn: what nobody claimed was not uploaded
        most = BATCH_SIZE * MAX_ROUNDS
        postpone_deadlines(
            sweeping=sweeping, blobs=blobs, now=now, deadline_seconds=periods.deadline_seconds, limit=most
        )
    rounds: list[SweepFindings] = []
    while not rounds or (rounds[-1].more and rounds[-1].since and len(rounds) < MAX_ROUNDS):
        unclaimed_since = now - (UNCLAIMED_AFTER if no_uploads else REPEAT_AFTER)
        rounds.append(sweeping.sweep(now=now, limit=BATCH_SIZE, unclaimed_since=unclaimed_since))
        _send(rounds[-1], queues)
    deletions.forget_deletions(before=now - timedelta(days=periods.receipt_days), limit=BATCH_SIZE)
    unused_since = now - timedelta(days=periods.conversation_days)
    expired = conversations.expire_conversations(before=unused_since, limit=BATCH_SIZE)
    pushes_due = subscriptions.pending_pushes(now=now, limit=BATCH_SIZE)
    for push in pushes_due:
        if push.since is None or push.since < now - PUSH_INTERVAL:
            queues.pushes.send(push.body())
    if idle and not pushes_due:
        latest = now + timedelta(seconds=periods.rest_seconds)
        rest.until = min(latest, rounds[-1].due or latest)
    report = _report(rounds, now).model_copy(update={"conversations_expired": expired})
    for outcome, count in zip(OUTCOMES.values(), (report.failed, report.requeued, report.purges), strict=True):
        metrics.count("rag_swept_total", count, outcome=outcome)
    for outcome, seconds in report.oldest_seconds.items():
        metrics.observe("rag_swept_age_seconds", seconds, outcome=outcome)
    metrics.count("rag_sweeps_cut_short_total", report.more)
    return report


def _send(found: SweepFindings, queues: Queues) -> None:
    """Queue what was found.

    A file from a URL lost the message to fetch it, or the event of its object: whichever is not needed is skipped.
    """
    for ref in found.requeue:
        if ref in found.refetch:
            queues.fetches.send(FetchRequest(ref).body())
        queues.ingests.send(IngestRequest(ref).body())
    for request in found.purge:
        queues.purges.send(request.body())


def _queues_empty(*queues: Queue) -> bool:
    """Whether no queue holds a message; one that does not answer counts as holding some."""
    try:
        return not any(queue.pending() for queue in queues)
    except Unavailable:
        return False


def _report(rounds: list[SweepFindings], now: datetime) -> SweepReport:
    counts: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    files: dict[str, tuple[str, ...]] = {}
    for swept in rounds:
        for kind, outcome in OUTCOMES.items():
            found: tuple[FileRef | PurgeRequest, ...] = getattr(swept, kind)
            counts[kind] += len(found)
            if found:
                files[outcome] = (files.get(outcome, ()) + tuple(map(_name, found[:MAX_REPORTED_NAMES])))[
                    :MAX_REPORTED_NAMES
                ]
            if kind in swept.since:
                oldest[outcome] = max(oldest.get(outcome, 0), int((now - swept.since[kind]).total_seconds()))
    return SweepReport(
        failed=counts["failed"],
        requeued=counts["requeue"],
        purges=counts["purge"],
        oldest_seconds=oldest,
        files=files,
        letters_forgotten=sum(swept.forgotten for swept in rounds),
        more=rounds[-1].more,
    )


def _name(found: FileRef | PurgeRequest) -> str:
    if isinstance(found, PurgeRequest) and (of_user := found.user_file or found.parts_of) is not None:
        return of_user.prefix
    generation = found.generation if isinstance(found, FileRef) else None
    parts = (found.tenant_id, found.collection_id, found.file_id, generation)
    return "/".join(str(part) for part in parts if part is not None)
