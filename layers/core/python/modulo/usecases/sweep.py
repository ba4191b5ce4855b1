"""End what has passed its deadline and take up again what was interrupted."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from modulo.domain.errors import Unavailable
from modulo.domain.file import FileRef
from modulo.domain.transfer import IngestRequest, PurgeRequest, Swept
from modulo.domain.value import Value
from modulo.ports import Clock, Metadata, Metrics, Queue

BATCH = 500
MOST_ROUNDS = 10
MOST_NAMED = 20
UNSEEN = timedelta(seconds=50)
"""Who watches is looked for in every minute, whatever became of the messages about changes."""
OUTCOMES: Mapping[str, str] = {"failed": "failed", "requeue": "requeued", "purge": "purged"}
"""What became of what a sweep finds, as metrics have it."""


class SweepReport(Value):
    """What a sweep did: how many, for how long the oldest of them had waited, and the first 20 of each by name.

    A name is that of tenant, collection, file and generation, as far as there is one. Ages are by outcome.
    Dead letters are forgotten after 30 days.
    """

    failed: int = 0
    requeued: int = 0
    purges: int = 0
    oldest_seconds: Mapping[str, int] = {}
    files: Mapping[str, tuple[str, ...]] = {}
    letters_forgotten: int = 0
    more: bool = False
    """Whether more may be left for the next sweep."""
    rested: bool = False
    """Whether nothing could be due, so that Postgres was not asked."""


@dataclass(slots=True)
class Rest:
    """Until when sweeps of this environment need not ask Postgres; where that is forgotten, the next one asks."""

    until: datetime | None = None


def sweep(
    *,
    metadata: Metadata,
    ingests: Queue,
    fetches: Queue,
    purges: Queue,
    dead_letters: Queue,
    pushes: Queue,
    metrics: Metrics,
    clock: Clock,
    receipt_days: int,
    rest: Rest,
    rest_seconds: int,
) -> SweepReport:
    """Fail files whose deadline passed, queue anew those whose worker died and purges that got lost.

    Whoever watches and was not looked for lately is: some changes are no file's, and a message may get lost.

    It goes on until nothing is left, for at most 10 rounds of 500 of each. Receipts of deletions are forgotten
    `receipt_days` after their completion.

    Where nothing is due that it knows of, and no message was under way, later ones rest: they leave Postgres alone,
    which may sleep then, until something is due, a message is under way, or `rest_seconds` are over. These must not
    exceed the time that files have, so that a sweep learns of each deadline before it comes.

    Raises:
        Unavailable: Postgres or a queue did not answer; a later sweep finds the same again.
    """
    now = clock.now()
    silent = rest_seconds > 0 and _silent(ingests, fetches, purges, dead_letters)
    if silent and rest.until is not None and now < rest.until:
        return SweepReport(rested=True)
    rest.until = None
    rounds: list[Swept] = []
    while not rounds or (rounds[-1].more and rounds[-1].since and len(rounds) < MOST_ROUNDS):
        rounds.append(metadata.sweep(now=now, limit=BATCH))
        for ref in rounds[-1].requeue:
            ingests.send(IngestRequest(ref).body())
        for request in rounds[-1].purge:
            purges.send(request.body())
    metadata.forget_deletions(before=now - timedelta(days=receipt_days), limit=BATCH)
    watched = metadata.watched(now=now, limit=BATCH)
    for push in watched:
        if push.since is None or push.since < now - UNSEEN:
            pushes.send(push.body())
    if silent and not watched:
        latest = now + timedelta(seconds=rest_seconds)
        rest.until = min(latest, rounds[-1].due or latest)
    report = _report(rounds, now)
    for outcome, count in zip(OUTCOMES.values(), (report.failed, report.requeued, report.purges), strict=True):
        metrics.count("rag_swept_total", count, outcome=outcome)
    for outcome, seconds in report.oldest_seconds.items():
        metrics.observe("rag_swept_age_seconds", seconds, outcome=outcome)
    metrics.count("rag_sweeps_cut_short_total", report.more)
    return report


def _silent(*queues: Queue) -> bool:
    """Whether no message is under way; a queue that does not answer is taken to hold some."""
    try:
        return not any(queue.pending() for queue in queues)
    except Unavailable:
        return False


def _report(rounds: list[Swept], now: datetime) -> SweepReport:
    counts: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    files: dict[str, tuple[str, ...]] = {}
    for swept in rounds:
        for kind, outcome in OUTCOMES.items():
            found: tuple[FileRef | PurgeRequest, ...] = getattr(swept, kind)
            counts[kind] += len(found)
            if found:
                files[outcome] = (files.get(outcome, ()) + tuple(map(_name, found[:MOST_NAMED])))[:MOST_NAMED]
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
    generation = found.generation if isinstance(found, FileRef) else None
    parts = (found.tenant_id, found.collection_id, found.file_id, generation)
    return "/".join(str(part) for part in parts if part is not None)
