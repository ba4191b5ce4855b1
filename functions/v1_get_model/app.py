"""GET /v1/models/{model}."""

from modulo.domain.errors import NotFound
from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.models import Model, model_answer
from modulo.usecases.get_model import get_model

router = APIRouter()


@router.get("/models/{model:path}", operation_id="v1_get_model", responses=openai_responses(NotFound))
async def endpoint(caller: Reader, model: str) -> Model:
    """Show a collection as a model, by its name or its id, or a model that embeds."""
    s = services()
    return model_answer(
        await run(get_model, caller, model, collections=s.collections, embedding_model=s.settings.embedding_model)
    )


handler = v1_handler_of(router, uses=("collections",))
