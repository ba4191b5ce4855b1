"""The tools: each calls a use case that exists, and describes itself for a model to choose well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from modulo.domain.errors import InvalidRequest
from modulo.domain.files.upload import SentFile
from modulo.domain.files.web import NewUrl
from modulo.domain.search.search import ConfigMetadata, SearchInput
from modulo.runtime.mcp_door.arguments import (
    DocumentArguments,
    FetchArguments,
    IngestArguments,
    ListArguments,
    QuestionArguments,
    SearchArguments,
)
from modulo.runtime.mcp_door.documents import document, file_named, id_of, text_of
from modulo.runtime.threads import run_external
from modulo.services import services
from modulo.usecases.add_url import add_url
from modulo.usecases.search.ports import SearchPorts
from modulo.usecases.search.search import search
from modulo.usecases.upload_file import upload_file

if TYPE_CHECKING:
    from modulo.domain.files.upload import UploadReceipt
    from modulo.domain.model import FrozenModel
    from modulo.domain.search.search import SearchOutput
    from modulo.runtime.mcp_door.visit import Visit

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool with what a model reads of it."""

    title: str
    description: str
    arguments: type[FrozenModel]
    call: Callable[[Visit, Any], Awaitable[Result]]
    reads: bool = True
    """Whether it changes nothing."""


async def _search(
    visit: Visit, question: str, given: SearchArguments | QuestionArguments, config: ConfigMetadata
) -> SearchOutput:
    s = services()
    ports = SearchPorts(
        grants=s.grants,
        usage=s.usage,
        cache=s.cache,
        vectors=s.vectors,
        embedder=s.embedder,
        reranker=s.reranker,
        generator=s.generator,
        metrics=s.metrics,
        clock=s.clock,
    )
    chosen = await visit.all_named(given.collection, given.collections)
    request = SearchInput(question=question, collection_ids=chosen, config_metadata=config)
    return await run_external(search, visit.caller, request, ports, limits=s.search_limits, later=visit.later)


async def search_documents(visit: Visit, given: SearchArguments) -> Result:
    """The documents that passages were found in, best first."""
    config = ConfigMetadata(top_k=given.top_k, filters=given.filters, retrieve_only=True)
    found = await _search(visit, given.query, given, config)
    documents = {each.document_id: each for each in found.documents}
    ordered = [documents[each] for each in dict.fromkeys(result.chunk.document_id for result in found.query_results)]
    return {
        "results": [
            {
                "id": id_of(each.collection_id, each.document_id),
                "title": each.title or each.document_name,
                "url": visit.address + each.url,
            }
            for each in ordered
        ]
    }


async def fetch(visit: Visit, given: FetchArguments) -> Result:
    """A document with its text."""
    return await document(visit, given.id)


async def rag_search(visit: Visit, given: QuestionArguments) -> Result:
    """An answer with its citations and passages, each with its address."""
    config = ConfigMetadata(top_k=given.top_k, filters=given.filters)
    found = (await _search(visit, given.question, given, config)).model_dump(mode="json", exclude_none=True)
    passages = (one for result in found["query_results"] for one in (result["chunk"], *result["neighbors"]))
    for each in (*found["citations"], *found["nearest"], *found["documents"], *passages):
        each["url"] = visit.address + each["url"]
    searched = [each["collection_id"] for each in found["metadata"]["collections"]]
    only = {"collection_id": searched[0]} if len(searched) == 1 else {}
    return {**only, **found}


async def rag_ingest(visit: Visit, given: IngestArguments) -> Result:
    """Add a text or an address; it can be searched once it was read."""
    visit.require_write()
    collection = (await visit.named(given.collection)).id
    receipt = await (_add_text if given.url is None else _add_url)(visit, collection, given)
    told = receipt.model_dump(mode="json", exclude_none=True)
    return {**told, "id": id_of(collection, receipt.file_id), "url": visit.address + receipt.url}


async def _add_text(visit: Visit, collection: UUID, given: IngestArguments) -> UploadReceipt:
    for field, value in (("name", given.name), ("text", given.text)):
        if not value:
            raise InvalidRequest.field(field, "is needed: send a name with a text, or an address as url")
    s = services()
    sent = SentFile(given.name or "", (given.text or "").encode(), given.on_duplicate)
    limits = s.upload_limits(s.settings.max_upload_bytes)
    return await run_external(
        upload_file, visit.caller, collection, sent, uploads=s.uploads, blobs=s.blobs, clock=s.clock, limits=limits
    )


async def _add_url(visit: Visit, collection: UUID, given: IngestArguments) -> UploadReceipt:
    if given.text is not None:
        raise InvalidRequest.field("url", "takes the place of a text: send one of them")
    s = services()
    return await run_external(
        add_url,
        visit.caller,
        collection,
        NewUrl(url=given.url or "", name=given.name),
        idempotency_key=None,
        uploads=s.uploads,
        fetches=s.fetches,
        clock=s.clock,
        limits=s.upload_limits(s.settings.max_url_bytes),
    )


async def rag_list_collections(visit: Visit, given: ListArguments) -> Result:
    """The collections that the caller may search."""
    found = [await visit.named(None)] if visit.collection else await visit.collections(limit=100, name=given.name)
    return {"collections": [one.model_dump(mode="json", exclude_none=True) for one in found]}


async def rag_get_document(visit: Visit, given: DocumentArguments) -> Result:
    """A document's state, properties and, once it is ready, its text."""
    named = given.document_id
    identity = named if ":" in named else f"{(await visit.named(given.collection)).id}:{named}"
    file = await file_named(visit, identity, field="document_id")
    text = {} if file.live_generation is None else {"text": await text_of(visit, file)}
    return {**file.model_dump(mode="json", exclude_none=True), "url": visit.address + file.url, **text}


TOOLS: Final[Mapping[str, Tool]] = {
    "search": Tool(
        "Search documents",
        "Find documents of the user's own collections. Use it first whenever a question may be answered by the user's "
        "files, policies, manuals or notes. Gives ids, titles and addresses, best first; read them with `fetch`.",
        SearchArguments,
        search_documents,
    ),
    "fetch": Tool(
        "Read a document",
        "Read the whole text of one document that `search` found, to quote it or to answer from it. Cite its `url`.",
        FetchArguments,
        fetch,
    ),
    "rag_search": Tool(
        "Ask the documents",
        "Ask one whole question and get a checked answer: every [n] in it is a citation that a passage supports. Prefer"
        " it to `search` and `fetch` where an answer with citations is wanted; it says so where nothing is found.",
        QuestionArguments,
        rag_search,
    ),
    "rag_ingest": Tool(
        "Add a document",
        "Add a document to a collection, from a text or from a public address. Use it only when the user asks to save "
        "something. It is read in the background: `rag_get_document` tells when its stage is ready.",
        IngestArguments,
        rag_ingest,
        reads=False,
    ),
    "rag_list_collections": Tool(
        "List collections",
        "List the collections of documents that the user may search, with their ids and the number of files in each "
        "state. Use it to choose a collection, or to tell what there is.",
        ListArguments,
        rag_list_collections,
    ),
    "rag_get_document": Tool(
        "Look up a document",
        "Look up one document: whether it is ready, why it failed, its properties, and its text.",
        DocumentArguments,
        rag_get_document,
    ),
}
"""By their names."""
