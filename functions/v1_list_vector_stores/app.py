"""GET /v1/vector_stores."""

from functools import partial

from modulo.runtime.endpoint import APIRouter, Reader, run, services
from modulo.runtime.openai.door import v1_handler_of
from modulo.runtime.openai.errors import openai_responses
from modulo.runtime.openai.pages import ListAnswer, WindowQuery, list_answer
from modulo.runtime.openai.vector_stores import VectorStore, vector_store_answer
from modulo.usecases.page_collections import page_collections

router = APIRouter()


@router.get("/vector_stores", operation_id="v1_list_vector_stores", responses=openai_responses())
async def endpoint(caller: Reader, window: WindowQuery) -> ListAnswer[VectorStore]:
    """List the collections that the caller is a member of."""
    s = services()
    page = await run(page_collections, caller, window, collections=s.collections)
    return list_answer(page, partial(vector_store_answer, now=s.clock.now()))


handler = v1_handler_of(router, uses=("collections", "clock"))
