"""The same search as one usually writes it: FastAPI and Mangum, everything imported and made at the top.

Deliberately plain, for measuring cold starts; it does what `functions/search` does and skips its checks.
"""

import hashlib
import json
import os
from typing import Any

import boto3
import httpx
import pg8000  # noqa: F401 - the driver of the database
import redis
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from fastapi import FastAPI, Header, HTTPException
from mangum import Mangum
from pydantic import BaseModel
from pymilvus import AnnSearchRequest, MilvusClient, RRFRanker
from sqlalchemy import create_engine, text

logger = Logger(service="search")
metrics = Metrics(namespace="Naive", service="search")
session = boto3.session.Session()
engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
cache = redis.Redis.from_url(os.environ["CACHE_URL"])
milvus = MilvusClient(uri=os.environ["MILVUS_URI"])
http = httpx.Client(timeout=60)
app = FastAPI()

GRANT = text("""
    SELECT c.id, c.version FROM api_keys k
    JOIN members m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
    JOIN collections c ON c.tenant_id = m.tenant_id AND c.id = m.collection_id
    WHERE k.secret_hash = :hash AND k.revoked_at IS NULL AND c.id = :collection AND c.deleted_at IS NULL
""")


class SearchRequest(BaseModel):
    """A question to one collection."""

    question: str
    collection_id: str
    top_k: int = 10


class SearchResponse(BaseModel):
    """The answer and what it rests on."""

    answer: str
    passages: list[str]


@app.post("/search")
def search(body: SearchRequest, x_api_key: str = Header()) -> SearchResponse:
    """Answer a question from a collection."""
    with engine.connect() as connection:
        secret = hashlib.sha256(x_api_key.encode()).digest()
        grant = connection.execute(GRANT, {"hash": secret, "collection": body.collection_id}).one_or_none()
    if grant is None:
        raise HTTPException(404)
    key = f"naive:{grant.id}:{grant.version}:{hashlib.sha256(body.question.encode()).hexdigest()}"
    if cached := cache.get(key):
        return SearchResponse.model_validate_json(cached)
    passages = rerank(body.question, retrieve(body))
    response = SearchResponse(answer=passages[0] if passages else "", passages=passages)
    cache.set(key, response.model_dump_json(), ex=60)
    metrics.add_metric(name="searches", unit=MetricUnit.Count, value=1)
    logger.info("searched")
    return response


def retrieve(body: SearchRequest) -> list[str]:
    """The nearest passages by meaning and by words."""
    answer = asked_model("EMBEDDING", "embeddings", {"model": os.environ["NAIVE_MODEL"], "input": [body.question]})
    vector: list[float] = answer["data"][0]["embedding"]
    only = f"collection_id == {json.dumps(body.collection_id)}"
    requests = [
        AnnSearchRequest([vector], "vector", {"metric_type": "COSINE"}, body.top_k, expr=only),
        AnnSearchRequest([body.question], "sparse", {"metric_type": "BM25"}, body.top_k, expr=only),
    ]
    found: Any = milvus.hybrid_search(
        os.environ["NAIVE_COLLECTION"], requests, RRFRanker(60), limit=body.top_k, output_fields=["text"]
    )
    return [hit["entity"]["text"] for hit in found[0]]


def rerank(question: str, passages: list[str]) -> list[str]:
    """The passages, those that answer the question first."""
    if not passages:
        return []
    asked = {"model": os.environ["NAIVE_RERANKER"], "query": question, "documents": passages}
    return [passages[result["index"]] for result in asked_model("RERANK", "rerank", asked)["results"]]


def asked_model(service: str, path: str, body: dict[str, Any]) -> Any:
    """What a model's server answers."""
    headers = {"Authorization": f"Bearer {os.environ[service + '_API_KEY']}"}
    answer = http.post(f"{os.environ[service + '_URL']}/{path}", json=body, headers=headers)
    return answer.raise_for_status().json()


handler = metrics.log_metrics(Mangum(app, lifespan="off"))
