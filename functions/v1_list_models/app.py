"""GET /v1/models."""

from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.models import Models, models_answer
from modulo.usecases.list_models import list_models

router = APIRouter()


@router.get("/models", operation_id="v1_list_models", responses=openai_responses())
async def endpoint(caller: Reader) -> Models:
    """List the collections that the caller may search, each as a model, and the models that embed."""
    s = services()
    return models_answer(
        await run(list_models, caller, collections=s.collections, embedding_models=s.settings.embedding_models)
    )


handler = v1_handler_of(router, uses=("collections",))
