"""What a search found for a golden question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage of a result; `names` are those by which a golden set may call its document: its name and its id."""

    text: str
    names: frozenset[str]
    document: str
    """The document's id."""


@dataclass(frozen=True, slots=True)
class Found:
    """The reply to one question, as far as it is judged; passages and cited passages best first."""

    passages: Sequence[FoundPassage] = ()
    cited: Sequence[FoundPassage] = ()
    answer: str | None = None
    """None where only passages were asked for."""
    answered: bool = False
    """Whether the reply is an answer, and not that there is none."""
    confidence: float = 0.0
    """What the reply says of its own certainty: the best relevance among its citations."""
    seconds: float = 0.0
    cached: bool = False
    tokens: int = 0
    degraded: Sequence[str] = ()
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


def found_in(reply: Mapping[str, Any], *, seconds: float = 0.0) -> Found:
    """A reply of `POST /api/search`, as far as it is judged."""
    names = {one["document_id"]: one["document_name"] for one in reply["documents"]}
    chunks = [result["chunk"] for result in reply["query_results"]]
    texts = {chunk["chunk_id"]: chunk["text"] for chunk in chunks}

    def passage(document: str, text: str) -> FoundPassage:
        return FoundPassage(text, frozenset((document, names.get(document, document))), document)

    metadata = reply["metadata"]
    citations = reply["citations"]
    return Found(
        passages=[passage(chunk["document_id"], chunk["text"]) for chunk in chunks],
        cited=[passage(one["document_id"], texts.get(one["chunk_id"], one["excerpt"])) for one in citations],
        answer=reply.get("answer"),
        answered=bool(metadata.get("found")),
        confidence=max((one["relevance_score"] for one in citations), default=0.0),
        seconds=seconds,
        cached=metadata["cached"],
        tokens=metadata["tokens_used"],
        degraded=metadata["degraded"],
        stage_seconds=metadata["stage_seconds"],
    )
