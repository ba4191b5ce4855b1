"""Every environment variable, with its meaning and default.

A part whose address is not set says so when it is first used. The value `none:` does without an optional part.
"""

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Literal, Self, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from modulo.domain.collections.collection import ANALYSIS, EmbeddingModel, Metric
from modulo.domain.errors import NotConfigured
from modulo.domain.files.archive import ArchiveLimits
from modulo.domain.retrieval.search_defaults import NO_DEFAULTS, SearchDefaults
from modulo.domain.tenancy.quota import Quotas

NONE: Final = "none:"
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}://(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")
"""As browsers write one: in lower case, without a path."""
BGE_SMALL = EmbeddingModel(name="bge-small-en-v1.5", dimensions=384, metric=Metric.cosine, max_tokens=512)


GeneratorKind = Literal["extractive", "openai", "anthropic", "bedrock"]


class GeneratorChoice(BaseModel):
    """One generator."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: GeneratorKind
    url: str | None = None
    api_key: SecretStr | None = None
    model: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "openai" and not (self.url and self.model):
            raise ValueError("GENERATOR=openai needs GENERATOR_URL and GENERATOR_MODEL")
        if self.kind in ("anthropic", "bedrock") and not self.model:
            raise ValueError(f"GENERATOR={self.kind} needs GENERATOR_MODEL")
        return self


class Settings(BaseModel):
    """Read once an environment, when first needed; what is given as an argument is not read."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)  # it holds passwords

    # Postgres
    database_url: str | None = Field(default=None, description="postgresql+pg8000://… of the writer")
    database_reader_url: str | None = Field(default=None, description="the reader; the writer where not set")
    database_owner_url: str | None = Field(
        default=None, description="the server itself, past any proxy, as the tables' owner: for migrations"
    )
    database_owner_secret: str | None = Field(
        default=None, description="the secret in AWS Secrets Manager with the owner's password, where the URL has none"
    )
    database_functions_secret: str | None = Field(
        default=None, description="likewise, of the role in DATABASE_URL, which migrations make and let use the tables"
    )
    database_secret: str | None = Field(
        default=None,
        pattern=r"^arn:[^\s]+$",
        description="ARN of the secret with the password of DATABASE_URL and the reader's, where they have none",
    )
    database_iam_auth: bool = Field(default=False, description="log in with IAM tokens where a URL has no password")
    database_ca_file: str | None = Field(default=None, description="PEM of the authority; turns verified TLS on")
    database_prepares: bool = Field(
        default=False,
        description="keep statements prepared, which saves planning; a pooler must follow them: PgBouncer from 1.21 on",
    )
    sqlalchemy_pool_size: int = Field(default=1, ge=1, description="1 in a function; 20 suits a worker")
    sqlalchemy_max_overflow: int = Field(default=0, ge=0, description="0 in a function; 10 suits a worker")
    sqlalchemy_pool_recycle: int = Field(default=600, ge=1, description="seconds")
    database_timeout_seconds: int = Field(default=10, ge=1, description="to connect, and to wait for the pool")

    # Valkey or Redis
    cache_url: str | None = Field(
        default=None, description="redis://… or rediss://…, or the ARN of the secret that holds it"
    )
    cache_timeout_seconds: float = Field(default=0.5, gt=0)
    search_cache_ttl: int = Field(default=3_600, ge=0, description="seconds; 0 turns the result cache off")
    embedding_cache_ttl: int = Field(
        default=86_400, ge=0, description="seconds, of vectors, and of what a user was granted last; 0 turns both off"
    )

    # Milvus
    milvus_uri: str | None = Field(default=None, description="http(s)://…")
    milvus_token: SecretStr | None = Field(default=None, description="it, or the ARN of its secret")
    milvus_timeout_seconds: float = Field(default=10, gt=0)
    milvus_index: Literal["HNSW", "FLAT"] = "HNSW"
    milvus_hnsw_m: int = Field(default=16, ge=2, le=2_048)
    milvus_hnsw_ef_construction: int = Field(default=256, ge=8)
    milvus_hnsw_ef: int = Field(default=64, ge=1)
    milvus_shards: int = Field(default=2, ge=1)
    milvus_full_text: bool = Field(default=True, description="keep a BM25 field; off for servers before 2.5")
    vector_batch_size: int = Field(default=1_000, ge=1, le=10_000)

    # S3 and SQS; boto3 itself reads AWS_ENDPOINT_URL, AWS_REGION and the credentials
    blobs_bucket: str | None = Field(default=None, description="the bucket of uploads")
    purge_queue_url: str | None = Field(default=None, description="the queue of `purge`")
    fetch_queue_url: str | None = Field(default=None, description="the queue of `fetch_url`")
    ingest_queue_url: str | None = Field(default=None, description="the queue of `ingest_file`")
    push_queue_url: str = Field(default=NONE, description="the queue of `push_events`, or none:")
    dead_letters_queue_url: str | None = Field(
        default=None,
        description="the queue of what the first three gave up, which `record_dead_letter` empties",
    )
    schedules_queue_url: str | None = Field(default=None, description="the queue of ticks that workers serve")
    presign_seconds: int = Field(default=900, ge=1, le=604_800)

    # API Gateway's WebSockets
    sockets_url: str = Field(default=NONE, description="https://… of the API's stage, or none:")

    # Models
    embedding_url: str | None = Field(default=None, description="OpenAI-compatible API, …/v1; or bedrock:")
    embedding_api_key: SecretStr | None = Field(default=None, description="it, or the ARN of its secret")
    embedding_models: tuple[EmbeddingModel, ...] = Field(
        default=(BGE_SMALL,), description="JSON; the first is the default"
    )
    embedding_batch_size: int = Field(default=100, ge=1, le=2_048)
    embedding_concurrency: int = Field(default=2, ge=1, le=32)
    rerank_url: str = Field(default=NONE, description="Cohere-compatible API, …/v1 or …/v2; or none:")
    rerank_api_key: SecretStr | None = Field(default=None, description="likewise")
    rerank_model: str = "ms-marco-MiniLM-L-12-v2"
    generator: GeneratorKind = "extractive"
    generator_url: str | None = Field(
        default=None, description="OpenAI-compatible API, …/v1; or Anthropic's, by default its own"
    )
    generator_api_key: SecretStr | None = Field(default=None, description="likewise")
    generator_model: str = ""
    generator_fallbacks: tuple[GeneratorChoice, ...] = Field(
        default=(),
        description='JSON; who writes where GENERATOR fails: {"kind", "url", "api_key", "model"}, each as above',
    )
    generator_max_tokens: int = Field(default=800, ge=16)
    model_timeout_seconds: float = Field(default=60, gt=0)

    # Search
    max_top_k: int = Field(default=100, ge=1, le=1_000)
    search_defaults: SearchDefaults = Field(
        default=NO_DEFAULTS,
        description='JSON; how collections are searched that do not say: {"top_k": 10, "search_type": "hybrid", '
        '"text_weight": 0.4, "score_threshold": 0, "group_by": "passage", "context_tokens": 0, "instructions": ""}',
    )
    query_embedding_seconds: float = Field(
        default=8,
        gt=0,
        description="how long a search may wait for the embedder; a hybrid one then goes on by words, others fail",
    )
    rerank_candidates: int = Field(
        default=20, ge=1, le=1_000, description="most passages that the reranker reads; five where one of them is clear"
    )
    rerank_seconds: float = Field(
        default=8,
        gt=0,
        description="how long reranking may take; passages then stay as they were found, and extracts are not made",
    )

    # Ingestion
    max_file_bytes: int = Field(default=256 * 1024**2, ge=1)
    max_upload_bytes: int = Field(default=4 * 1024**2, ge=1, description="of a direct upload; Lambda takes 6 MB in all")
    max_url_bytes: int = Field(default=32 * 1024**2, ge=1, description="of what is fetched by its address")
    ingest_part_pages: int = Field(default=250, ge=1, description="of a PDF; a longer one is ingested in parts")
    ingest_part_bytes: int = Field(
        default=4 * 1024**2, ge=1_024, le=64 * 1024**2, description="of plain text; a longer one is ingested in parts"
    )
    parse_seconds: int = Field(default=120, ge=1, description="of the CPU, for a file or a part of one")
    parse_memory_bytes: int = Field(default=1024**3, ge=1024**2, description="beyond what a parser takes by itself")
    parse_output_bytes: int = Field(default=128 * 1024**2, ge=1_024, description="text of a file or a part of one")
    ocr_languages: str = Field(
        default="",
        pattern=r"^(?:[a-z]{3}(?:_[a-z]{3,4}){0,2}(?:\+[a-z]{3}(?:_[a-z]{3,4}){0,2}){0,7})?$",
        description="of scanned pages, as Tesseract names them: eng+deu; empty turns text recognition off",
    )
    ocr_seconds: int = Field(default=30, ge=1, le=300, description="for a page")
    ocr_memory_bytes: int = Field(default=1024**3, ge=1024**2, description="for a page")
    archive_files: int = Field(default=1_000, ge=1, description="that one archive is expanded into")
    archive_bytes: int = Field(default=1024**3, ge=1, description="of all of them together")
    archive_depth: int = Field(default=3, ge=1, description="archives in archives, counted from the outermost")
    ingest_lease_seconds: int = Field(default=75, ge=1)
    ingest_run_seconds: int = Field(
        default=780, ge=0, description="how long one attempt may wait for a throttled embedder; a function has 900"
    )
    ingest_deadline_seconds: int = Field(default=3_600, ge=1)
    ingest_attempts: int = Field(default=4, ge=1, description="the first and 3 retries")
    retry_base_seconds: int = Field(
        default=60, ge=1, description="before the first retry, or a half of it; twice as long before each further one"
    )
    sweep_rest_seconds: int = Field(
        default=0,
        ge=0,
        description="how long sweeps leave Postgres alone while nothing is under way, at most INGEST_DEADLINE_SECONDS",
    )
    reembedding_keep_seconds: int = Field(
        default=7 * 86_400, ge=0, description="how long a re-embedding can be rolled back"
    )

    # Quotas of a user
    quotas: Quotas = Quotas()
    usage_retention_days: int = Field(default=400, ge=1)

    # Conversations
    conversation_retention_days: int = Field(
        default=365, ge=1, description="after its last use, a conversation is deleted"
    )
    conversation_window_tokens: int = Field(
        default=2_000, ge=0, le=100_000, description="of earlier turns that a follow-up question is understood from"
    )

    # Deletion
    deletion_retention_days: int = Field(default=400, ge=1, description="after which a completed receipt is forgotten")

    # Authentication
    oidc_issuer: str | None = Field(default=None, description="turns bearer tokens on")
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = Field(default=None, description="found through the issuer where not set")
    oidc_algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"], ...] = (
        "RS256",
        "ES256",
    )
    oidc_tenant_claim: str = "tenant"
    oidc_client_id: str | None = Field(default=None, description="of the console, a public client; lets people sign in")
    oidc_token_origin: str | None = Field(
        default=None,
        description="scheme and host of the issuer's token endpoint, where the console finds it elsewhere than at "
        "OIDC_ISSUER",
    )
    oidc_scopes: str = Field(
        default="openid read write", pattern=r"^(.* )?openid( .*)?$", description="that the console asks for"
    )
    api_key_cache_seconds: int = Field(default=5, ge=0, description="how long a revoked key may go on")

    # Events over HTTP, which a server takes where a token or an issuer is set
    events_token: SecretStr | None = Field(default=None, min_length=32, description="the sender's bearer token")
    events_issuer: str | None = Field(default=None, description="of the sender's OpenID tokens, as Knative has them")
    events_audience: str | None = None
    events_subject: str | None = Field(default=None, description="the one sender whose tokens are taken")
    events_jwks_url: str | None = Field(default=None, description="found through the issuer where not set")

    # Requests
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description='JSON list of the origins whose pages may call the API (CORS), as "https://app.example.org"; '
        '["*"] allows every one',
    )
    public_url: str | None = Field(
        default=None, description="https://… by which clients reach the service, for the addresses that it tells them"
    )
    request_seconds: float = Field(default=25, gt=0, le=900, description="deadline of a request; API Gateway has 29")

    stream_seconds: float = Field(
        default=300, gt=0, le=900, description="deadline of an answer that is streamed; a function has 900"
    )

    objects_through_server: bool = Field(
        default=False,
        description="presigned forms and addresses lead through a server's `/objects`, for clients that do not reach "
        "AWS_ENDPOINT_URL",
    )
    sign_in_folder: str | None = Field(default=None, description="of one-time sign-in links of a server; none without")

    # Health
    health_token: SecretStr | None = Field(
        default=None, min_length=32, description="a bearer token with which `/health` tells of each dependency"
    )
    expected_workers: tuple[str, ...] = Field(
        default=(), description="event functions whose workers should always run; `/health` is down without them"
    )

    # Telemetry
    metrics_token: SecretStr | None = Field(
        default=None, min_length=32, description="the bearer token that `/metrics` of a server asks for"
    )
    metrics: Literal["none:", "prometheus", "emf"] = NONE
    metrics_stack: str = Field(
        default="modulo", min_length=1, description="CloudWatch's dimension `stack` of each metric"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def __init__(self, **given: Any) -> None:
        super().__init__(**_from_environment(os.environ) | given)

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(filter(None, origins))  # a template's empty list is a list with one empty text
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"ALLOWED_ORIGINS: {origin!r} is no origin; one is a scheme and a host, with a port")
        return origins

    @field_validator("oidc_token_origin")
    @classmethod
    def _is_origin(cls, origin: str | None) -> str | None:
        if origin is not None and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"OIDC_TOKEN_ORIGIN: {origin!r} is no origin; one is a scheme and a host, with a port")
        return origin

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer and not self.oidc_audience:
            raise ValueError("OIDC_ISSUER needs OIDC_AUDIENCE: a token for another service must not open this one")
        if self.oidc_client_id and not self.oidc_issuer:
            raise ValueError("OIDC_CLIENT_ID needs OIDC_ISSUER: the console has to know where people sign in")
        if self.oidc_token_origin and not self.oidc_client_id:
            raise ValueError("OIDC_TOKEN_ORIGIN needs OIDC_CLIENT_ID: only the console asks for tokens")
        if self.events_issuer and not (self.events_audience and self.events_subject):
            raise ValueError("EVENTS_ISSUER needs EVENTS_AUDIENCE and EVENTS_SUBJECT: others too have its tokens")
        _ = self.generators
        if self.sweep_rest_seconds > self.ingest_deadline_seconds:
            raise ValueError("SWEEP_REST_SECONDS exceeds INGEST_DEADLINE_SECONDS: deadlines would be missed")
        return self

    def address(self, name: str) -> str:
        """A field that a part cannot do without.

        Raises:
            NotConfigured: its variable is not set.
        """
        value: str | None = getattr(self, name)
        if value is None:
            raise NotConfigured(name.upper())
        return value

    @property
    def generators(self) -> tuple[GeneratorChoice, ...]:
        """The generator, then those that stand in for it."""
        chosen = GeneratorChoice(
            kind=self.generator, url=self.generator_url, api_key=self.generator_api_key, model=self.generator_model
        )
        return chosen, *self.generator_fallbacks

    @property
    def part_pages(self) -> int:
        """The most pages of a part; where text is recognised, as many as there is time for at the worst."""
        if not self.ocr_languages:
            return self.ingest_part_pages
        return min(self.ingest_part_pages, max(1, self.ingest_run_seconds // self.ocr_seconds))

    @property
    def archive_limits(self) -> ArchiveLimits:
        """How much of an archive is expanded."""
        return ArchiveLimits(self.archive_files, self.archive_bytes, self.max_file_bytes, self.archive_depth)

    def embedding_model(self, name: str | None) -> EmbeddingModel | None:
        """The configured model of that name, or the default one, for a new index."""
        named = (model for model in self.embedding_models if name in (None, model.name))
        return next((model.model_copy(update={"analysis": ANALYSIS}) for model in named), None)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the variables say, in any case of letters; an empty one says nothing.

    Lists and parts are JSON; `QUOTAS__FILES` is one field of a part.

    Raises:
        ValueError: a variable that must be JSON is not.
    """
    said = {name.lower(): value for name, value in environment.items() if value}
    found: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        structured = get_origin(field.annotation) is tuple or isinstance(field.default, BaseModel)
        if name in said:
            found[name] = _json(name, said[name]) if structured else said[name]
        if isinstance(field.default, BaseModel):
            parts = {part: said[key] for part in type(field.default).model_fields if (key := f"{name}__{part}") in said}
            if parts:
                found[name] = {**found.get(name, {}), **parts}
    return found


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name.upper()} is not JSON: {error}") from None


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
