"""A LangChain retriever: passages of a collection, for any chain. Run it with a collection and a question."""

import sys

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from modulo_client import Modulo


class ModuloRetriever(BaseRetriever):
    """Finds passages in one collection."""

    collection: str
    top_k: int = 5

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        with Modulo() as modulo:  # MODULO_URL and MODULO_API_KEY
            found = modulo.collections.get(self.collection).search(query, top_k=self.top_k)
        return [Document(one.chunk.text, metadata={**dict(one.chunk.metadata), "score": one.score}) for one in found]


if __name__ == "__main__":
    for document in ModuloRetriever(collection=sys.argv[1]).invoke(sys.argv[2]):
        print(f"{document.metadata['source']}, page {document.metadata['page_number']}: {document.page_content}")
