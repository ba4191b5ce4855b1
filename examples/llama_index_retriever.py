"""A LlamaIndex retriever: passages of a collection, for any query engine. Run it with a collection and a question."""

import sys

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from modulo_client import Modulo


class ModuloRetriever(BaseRetriever):
    """Finds passages in one collection."""

    def __init__(self, collection: str, top_k: int = 5) -> None:
        super().__init__()
        self._collection, self._top_k = collection, top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with Modulo() as modulo:  # MODULO_URL and MODULO_API_KEY
            found = modulo.collections.get(self._collection).search(query_bundle.query_str, top_k=self._top_k)
        nodes = [TextNode(text=one.chunk.text, metadata=one.chunk.metadata.model_dump(mode="json")) for one in found]
        return [NodeWithScore(node=node, score=one.score) for node, one in zip(nodes, found, strict=True)]


if __name__ == "__main__":
    for found in ModuloRetriever(sys.argv[1]).retrieve(sys.argv[2]):
        print(f"{found.node.metadata['source']}, page {found.node.metadata['page_number']}: {found.node.get_content()}")
