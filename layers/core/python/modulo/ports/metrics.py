"""Counters and durations."""

from collections.abc import Mapping
from typing import Final, Protocol

HELP: Final[Mapping[str, str]] = {
    "llm_tokens_used_total": "Tokens of language models that answers used.",
    "milvus_search_duration_seconds": "Duration of one query of the vector store.",
    "rag_active_connections": "Database connections in use.",
    "rag_cache_hits_total": "Values found in the cache, by kind: result, embedding or chunk.",
    "rag_chunks_indexed_total": "Chunks of files that became ready.",
    "rag_dead_letters_total": "Messages recorded as dead letters.",
    "rag_degraded_searches_total": "Searches that left out a part or had another stand in for it, by part.",
    "rag_dependency_failures_total": "Failures of other servers that ended a request, a message or a "
    "scheduled run, or paused the cache, by dependency and kind: unavailable or throttled.",
    "rag_embedder_throttled_total": "Calls that the embedding model throttled.",
    "rag_feedback_total": "Ratings of answers, by rating: up or down.",
    "rag_ingest_seconds": "Time that ingestion took, by stage.",
    "rag_pages_recognised_total": "Scanned pages, by the outcome of text recognition.",
    "rag_reading_warnings_total": "Warnings about files that are ready though parts of them cannot be found, by code.",
    "rag_parsers_stopped_total": "Parser processes stopped at a limit, by reason.",
    "rag_request_duration_seconds": "Duration of requests, by method and endpoint.",
    "rag_requests_total": "Requests, by method, endpoint and status.",
    "rag_search_latency_seconds": "Time that searches took, by stage.",
    "rag_suspicious_passages_total": "Passages found that speak to language models or hide text, by flag.",
    "rag_sweeps_cut_short_total": "Sweeps that left work to the next one.",
    "rag_swept_age_seconds": "How long what a sweep found had been overdue, at most, by outcome.",
    "rag_swept_total": "What sweeps failed, requeued or asked to be purged, by outcome.",
}
"""What each metric means."""


class Metrics(Protocol):
    """Counters and timings under the architecture document's names; never raises."""

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Record a duration."""
        ...

    def adjust(self, name: str, change: float, **labels: str) -> None:
        """Move a gauge, which begins at 0."""
        ...

    def flush(self) -> None:
        """Hand over what was recorded, at the end of a function's invocation."""
        ...
