import pytest
from pydantic import ValidationError

from modulo.settings import Settings

SIGN_IN = {"oidc_issuer": "https://issuer", "oidc_audience": "modulo", "oidc_client_id": "console"}


@pytest.mark.parametrize(
    "incomplete",
    [
        {"oidc_issuer": "https://issuer"},
        {"oidc_client_id": "console"},
        {**SIGN_IN, "oidc_client_id": None, "oidc_token_origin": "https://tokens.example.org"},
        *(
            {**SIGN_IN, "oidc_token_origin": said}
            for said in ("tokens.example.org", "https://a/token", "https://a; script-src *", "https://a https://b", "*")
        ),
        *({"oidc_scopes": said} for said in ("", "read write", "openidread")),
        {"generator": "openai"},
        {"generator": "openai", "generator_url": "http://x"},
        {"generator": "bedrock"},
        {"generator": "telepathy"},
        {"oidc_algorithms": ["none"]},
        {"oidc_algorithms": ["HS256"]},
        {"sqlalchemy_pool_size": 0},
        {"sweep_rest_seconds": 3_601},
        *({"ocr_languages": said} for said in ("en", "eng,deu", "eng+", "+eng", "eng deu", "ENG", "../eng", "-eng")),
        {"ocr_languages": "+".join(["eng"] * 9)},
        {"ocr_languages": "eng\n"},
        {"ocr_seconds": 0},
        {"ocr_seconds": 301},
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


@pytest.mark.parametrize(
    "languages", ["", "eng", "eng+deu", "chi_sim+chi_sim_vert", "aze_cyrl", "deu_latf", "srp_latn"]
)
def test_languages_as_tesseract_names_them(languages):
    assert Settings(ocr_languages=languages).ocr_languages == languages


@pytest.mark.parametrize(
    ("given", "pages"),
    [
        ({"ocr_seconds": 300}, 250),
        ({"ocr_languages": "eng"}, 26),
        ({"ocr_languages": "eng", "ocr_seconds": 1}, 250),
        ({"ocr_languages": "eng", "ingest_run_seconds": 0}, 1),
    ],
)
def test_parts_are_as_long_as_there_is_time_to_recognise_their_pages(given, pages):
    assert Settings(**given).part_pages == pages


def test_nested_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("QUOTAS__TOKENS_PER_DAY", "5")
    monkeypatch.setenv("EMBEDDING_MODELS", '[{"name": "m", "dimensions": 3}]')
    s = Settings()
    assert s.quotas.tokens_per_day == 5
    assert s.embedding_model(None).dimensions == 3
    assert s.embedding_model("other") is None


def test_the_environment_is_read_in_any_case_and_empty_is_not_set(monkeypatch):
    monkeypatch.setenv("max_top_k", "7")
    monkeypatch.setenv("GENERATOR", "")
    monkeypatch.setenv("OIDC_ALGORITHMS", '["ES256"]')
    monkeypatch.setenv("QUOTAS", '{"files": 3, "collections": 4}')
    monkeypatch.setenv("QUOTAS__FILES", "2")
    monkeypatch.setenv("MILVUS_TOKEN", "hunter2")
    monkeypatch.setenv("DATABASE_IAM_AUTH", "true")
    s = Settings()
    assert (s.max_top_k, s.generator, s.oidc_algorithms, s.database_iam_auth) == (7, "extractive", ("ES256",), True)
    assert (s.quotas.files, s.quotas.collections, s.quotas.storage_bytes) == (2, 4, 10 * 1024**3)
    assert s.milvus_token.get_secret_value() == "hunter2"
    assert Settings(max_top_k=8).max_top_k == 8


@pytest.mark.parametrize(
    ("name", "value"), [("EMBEDDING_MODELS", "m"), ("QUOTAS", "many"), ("MAX_TOP_K", "x"), ("QUOTAS__FILES", "-1")]
)
def test_variables_that_say_nothing_sensible_are_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name.partition("__")[0].lower() + "|" + name):
        Settings()


def test_secrets_are_not_shown():
    assert "hunter2" not in repr(Settings(milvus_token="hunter2"))


def test_an_empty_origin_is_none_and_a_wrong_one_is_refused():
    assert Settings(allowed_origins=["", "https://app.example.org"]).allowed_origins == ("https://app.example.org",)
    assert Settings(allowed_origins=[""]).allowed_origins == ()
    with pytest.raises(ValidationError, match="ALLOWED_ORIGINS"):
        Settings(allowed_origins=["app.example.org"])
