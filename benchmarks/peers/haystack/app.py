"""Haystack as its documentation shows it: an indexing pipeline and a query pipeline over a Milvus store."""

import os
from pathlib import Path

from fastapi import FastAPI
from haystack import Pipeline
from haystack.components.converters import HTMLToDocument, PyPDFToDocument, TextFileToDocument
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.utils import Secret
from milvus_haystack import MilvusDocumentStore
from milvus_haystack.milvus_embedding_retriever import MilvusEmbeddingRetriever
from pydantic import BaseModel

WORDS_A_TOKEN = 0.78
"""Of the benchmark's documents: the splitter counts words."""
CONVERTERS = {".pdf": PyPDFToDocument, ".html": HTMLToDocument, ".md": TextFileToDocument, ".txt": TextFileToDocument}
MODEL = {
    "model": os.environ["EMBEDDING_MODEL"],
    "api_base_url": os.environ["EMBEDDING_URL"],
    "api_key": Secret.from_token(os.environ["EMBEDDING_API_KEY"]),
}

store = MilvusDocumentStore(
    collection_name=os.environ["COLLECTION"],
    connection_args={"uri": os.environ["MILVUS_URI"], "token": os.environ["MILVUS_TOKEN"]},
    index_params={"index_type": "FLAT", "metric_type": "COSINE"},
    drop_old=True,
)


def indexing(suffix: str) -> Pipeline:
    made = Pipeline()
    made.add_component("converter", CONVERTERS[suffix]())
    made.add_component(
        "splitter",
        DocumentSplitter(
            split_by="word",
            split_length=int(int(os.environ["CHUNK_TOKENS"]) * WORDS_A_TOKEN),
            split_overlap=int(int(os.environ["OVERLAP_TOKENS"]) * WORDS_A_TOKEN),
            respect_sentence_boundary=False,
        ),
    )
    made.add_component("embedder", OpenAIDocumentEmbedder(**MODEL, batch_size=100, progress_bar=False))
    made.add_component("writer", DocumentWriter(store))
    for sender, receiver in (("converter", "splitter"), ("splitter", "embedder"), ("embedder", "writer")):
        made.connect(sender, receiver)
    return made


pipelines = {suffix: indexing(suffix) for suffix in CONVERTERS}
query = Pipeline()
query.add_component("embedder", OpenAITextEmbedder(**MODEL))
query.add_component("retriever", MilvusEmbeddingRetriever(document_store=store))
query.connect("embedder.embedding", "retriever.query_embedding")
app = FastAPI()


class Document(BaseModel):
    path: str


class Question(BaseModel):
    question: str
    top_k: int


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/ingest")
def ingest(document: Document) -> dict[str, int]:
    path = Path(document.path)
    done = pipelines[path.suffix].run({"converter": {"sources": [path]}}, include_outputs_from={"splitter"})
    pieces = done["splitter"]["documents"]
    return {"chunks": len(pieces), "characters": sum(len(piece.content) for piece in pieces)}


@app.post("/search")
def search(asked: Question) -> dict[str, list[dict[str, object]]]:
    found = query.run({"embedder": {"text": asked.question}, "retriever": {"top_k": asked.top_k}})
    return {"passages": [{"text": one.content, "score": one.score} for one in found["retriever"]["documents"]]}
