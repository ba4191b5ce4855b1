"""LangChain as its documentation shows it: loaders, a recursive splitter and the Milvus vector store."""

import os
from pathlib import Path

from fastapi import FastAPI
from langchain_community.document_loaders import BSHTMLLoader, PyPDFLoader, TextLoader
from langchain_milvus import Milvus
from langchain_openai import OpenAIEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pydantic import BaseModel

CHARACTERS_A_TOKEN = 4.6
"""Of the benchmark's documents: the splitter counts characters."""
LOADERS = {".pdf": PyPDFLoader, ".html": BSHTMLLoader, ".md": TextLoader, ".txt": TextLoader}

embedder = OpenAIEmbeddings(
    model=os.environ["EMBEDDING_MODEL"],
    base_url=os.environ["EMBEDDING_URL"],
    api_key=os.environ["EMBEDDING_API_KEY"],
    check_embedding_ctx_length=False,
    chunk_size=100,
)
store = Milvus(
    embedding_function=embedder,
    collection_name=os.environ["COLLECTION"],
    connection_args={"uri": os.environ["MILVUS_URI"], "token": os.environ["MILVUS_TOKEN"]},
    index_params={"index_type": "FLAT", "metric_type": "COSINE"},
    auto_id=True,
    drop_old=True,
)
splitter = RecursiveCharacterTextSplitter(
    chunk_size=int(int(os.environ["CHUNK_TOKENS"]) * CHARACTERS_A_TOKEN),
    chunk_overlap=int(int(os.environ["OVERLAP_TOKENS"]) * CHARACTERS_A_TOKEN),
)
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
    pieces = splitter.split_documents(LOADERS[Path(document.path).suffix](document.path).load())
    for piece in pieces:
        piece.metadata = {"source": document.path}  # a collection's fields are those of its first document
    store.add_documents(pieces)
    return {"chunks": len(pieces), "characters": sum(len(piece.page_content) for piece in pieces)}


@app.post("/search")
def search(asked: Question) -> dict[str, list[dict[str, object]]]:
    found = store.similarity_search_with_score(asked.question, k=asked.top_k)
    return {"passages": [{"text": piece.page_content, "score": score} for piece, score in found]}
