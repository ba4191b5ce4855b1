import pytest
from pydantic import ValidationError

from modulo.settings import Settings


@pytest.mark.parametrize(
    "incomplete",
    [
        {"oidc_issuer": "https://issuer"},
        {"generator": "openai"},
        {"generator": "openai", "generator_url": "http://x"},
        {"generator": "bedrock"},
        {"generator": "telepathy"},
        {"oidc_algorithms": ["none"]},
        {"oidc_algorithms": ["HS256"]},
        {"sqlalchemy_pool_size": 0},
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(incomplete):
    with pytest.raises(ValidationError):
        Settings(**incomplete)


def test_the_architecture_documents_defaults():
    s = Settings()
    assert (s.max_top_k, s.vector_batch_size, s.embedding_batch_size, s.search_cache_ttl) == (100, 1000, 100, 3600)
    assert (s.milvus_hnsw_m, s.milvus_hnsw_ef_construction, s.milvus_hnsw_ef, s.milvus_shards) == (16, 256, 64, 2)
    assert (s.quotas.collections, s.quotas.files, s.quotas.tokens_per_day) == (10, 100, 100_000)
    assert s.quotas.storage_bytes == 10 * 1024**3
    assert (s.ingest_attempts, s.retry_base_seconds) == (4, 60)


def test_nested_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("QUOTAS__TOKENS_PER_DAY", "5")
    monkeypatch.setenv("EMBEDDING_MODELS", '[{"name": "m", "dimensions": 3}]')
    s = Settings()
    assert s.quotas.tokens_per_day == 5
    assert s.embedding_model(None).dimensions == 3
    assert s.embedding_model("other") is None


def test_secrets_are_not_shown():
    assert "hunter2" not in repr(Settings(milvus_token="hunter2"))
