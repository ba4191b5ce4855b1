"""End what has passed its deadline and take up again what was interrupted."""

from modulo.domain.transfer import IngestRequest, Swept
from modulo.ports import Clock, Metadata, Metrics, Queue

BATCH = 500


def sweep(*, metadata: Metadata, ingests: Queue, purges: Queue, metrics: Metrics, clock: Clock) -> Swept:
    """Fail files whose deadline passed, queue anew those whose worker died and purges that got lost.

    Raises:
        Unavailable: Postgres or a queue did not answer; the next sweep finds the same again.
    """
    swept = metadata.sweep(now=clock.now(), limit=BATCH)
    for ref in swept.requeue:
        ingests.send(IngestRequest(ref).body())
    for request in swept.purge:
        purges.send(request.body())
    metrics.count("rag_swept_total", len(swept.failed), outcome="failed")
    metrics.count("rag_swept_total", len(swept.requeue), outcome="requeued")
    metrics.count("rag_swept_total", len(swept.purge), outcome="purged")
    return swept
