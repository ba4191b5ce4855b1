"""POST /v1/embeddings."""

from modulo.domain.errors import BadModelAnswer, NotFound, QuotaExceeded, Unavailable
from modulo.runtime.endpoint import APIRouter, Reader, announces, run_external, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.embeddings import CreateEmbedding, Embeddings, embeddings_answer
from modulo.runtime.openai.errors import openai_responses
from modulo.usecases.embed_texts import embed_texts

router = APIRouter(dependencies=announces("tokens_per_day"))
PROBLEMS = openai_responses(BadModelAnswer, NotFound, QuotaExceeded, Unavailable)


@router.post("/embeddings", operation_id="v1_create_embedding", responses=PROBLEMS)
async def endpoint(caller: Reader, body: CreateEmbedding) -> Embeddings:
    """Embed texts; their tokens count against the caller's tokens of the day."""
    s = services()
    found = await run_external(
        embed_texts,
        caller,
        body.input,
        body.model,
        dimensions=body.dimensions,
        embedder=s.embedder,
        usage=s.usage,
        clock=s.clock,
        embedding_model=s.settings.embedding_model,
        quotas=s.settings.quotas,
    )
    return embeddings_answer(found, body.encoding_format)


handler = v1_handler_of(router, uses=("embedder", "usage", "clock"))
