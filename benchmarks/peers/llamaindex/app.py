"""LlamaIndex as its documentation shows it: an ingestion pipeline into Milvus and a retriever over it."""

import os

from fastapi import FastAPI
from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.vector_stores.milvus import MilvusVectorStore
from pydantic import BaseModel

embedder = OpenAILikeEmbedding(
    model_name=os.environ["EMBEDDING_MODEL"],
    api_base=os.environ["EMBEDDING_URL"],
    api_key=os.environ["EMBEDDING_API_KEY"],
    embed_batch_size=100,
)
store = MilvusVectorStore(
    uri=os.environ["MILVUS_URI"],
    token=os.environ["MILVUS_TOKEN"],
    collection_name=os.environ["COLLECTION"],
    dim=int(os.environ["DIMENSIONS"]),
    similarity_metric="COSINE",
    overwrite=True,
    use_async_client=False,
)
splitter = SentenceSplitter(chunk_size=int(os.environ["CHUNK_TOKENS"]), chunk_overlap=int(os.environ["OVERLAP_TOKENS"]))
pipeline = IngestionPipeline(transformations=[splitter, embedder], vector_store=store)
index = VectorStoreIndex.from_vector_store(store, embed_model=embedder)
retrievers = {}
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
    nodes = pipeline.run(documents=SimpleDirectoryReader(input_files=[document.path]).load_data())
    return {"chunks": len(nodes), "characters": sum(len(node.get_content()) for node in nodes)}


@app.post("/search")
def search(asked: Question) -> dict[str, list[dict[str, object]]]:
    if asked.top_k not in retrievers:
        retrievers[asked.top_k] = index.as_retriever(similarity_top_k=asked.top_k)
    found = retrievers[asked.top_k].retrieve(asked.question)
    return {"passages": [{"text": node.get_content(), "score": node.score} for node in found]}
