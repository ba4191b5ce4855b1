"""The composition root: which adapter stands behind each port, made on first use and kept."""

from contextlib import suppress
from functools import cached_property
from threading import Thread
from typing import TYPE_CHECKING

from modulo.domain.errors import ModuloError
from modulo.domain.identity import Principal
from modulo.services.queues import Queues
from modulo.settings import MEMORY, Settings, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import SecretStr

    from modulo import ports
    from modulo.adapters.tesseract_program import Tesseract
    from modulo.usecases.answering import SearchLimits
    from modulo.usecases.create_upload import UploadLimits
    from modulo.usecases.ingest_file import IngestLimits

NONE = "none:"
BEDROCK = "bedrock:"
CONNECT_SECONDS = 3
"""Each store's share of the 10 seconds that Lambda gives an environment to come back."""


class Services(Queues):
    """One instance an environment; every property imports its vendor when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.known_keys: dict[bytes, tuple[float, Principal]] = {}
        """API keys by hash and tenants of tokens by id, found valid, each with the moment until which to trust it."""

    @cached_property
    def clock(self) -> "ports.Clock":
        """The time."""
        from modulo.adapters.system_clock import SystemClock

        return SystemClock()

    @cached_property
    def metrics(self) -> "ports.Metrics":
        """Where counters and durations go."""
        match self.settings.metrics:
            case "emf":
                from modulo.adapters.emf_metrics import EmfMetrics

                return EmfMetrics()
            case "prometheus":
                from modulo.adapters.prometheus_metrics import PrometheusMetrics

                return PrometheusMetrics()
        from modulo.adapters.memory_metrics import MemoryMetrics

        return MemoryMetrics()

    @cached_property
    def metadata(self) -> "ports.Metadata":
        """Everything relational."""
        if self.settings.database_url == MEMORY:
            from modulo.adapters.memory_metadata import MemoryMetadata

            return MemoryMetadata(self.announce)
        from modulo.adapters.postgres_engine import engines
        from modulo.adapters.postgres_gauge import count_in_use
        from modulo.adapters.postgres_metadata import PostgresMetadata

        return PostgresMetadata(*count_in_use(engines(self.settings), self.metrics), self.announce)

    @cached_property
    def tokens(self) -> "ports.Tokens | None":
        """Bearer tokens, where an issuer is configured."""
        s = self.settings
        return self._issued(s.oidc_issuer, s.oidc_audience, s.oidc_jwks_url)

    @cached_property
    def event_senders(self) -> "ports.Tokens | None":
        """Tokens of those who send events over HTTP, where their issuer is configured."""
        s = self.settings
        return self._issued(s.events_issuer, s.events_audience, s.events_jwks_url)

    def _issued(self, issuer: str | None, audience: str | None, jwks_url: str | None) -> "ports.Tokens | None":
        if issuer is None or audience is None:
            return None
        from modulo.adapters.oidc_tokens import OidcTokens

        return OidcTokens(
            issuer=issuer,
            audience=audience,
            algorithms=self.settings.oidc_algorithms,
            tenant_claim=self.settings.oidc_tenant_claim,
            jwks_url=jwks_url,
        )

    @cached_property
    def cache(self) -> "ports.Cache":
        """Results and vectors that may be forgotten."""
        if self.settings.cache_url == MEMORY:
            from modulo.adapters.memory_cache import MemoryCache

            return MemoryCache()
        from modulo.adapters.valkey_cache import ValkeyCache

        return ValkeyCache(self.settings.cache_url, timeout=self.settings.cache_timeout_seconds)

    @cached_property
    def blobs(self) -> "ports.Blobs":
        """Uploaded bytes."""
        if self.settings.blobs_bucket == MEMORY:
            from modulo.adapters.memory_blobs import MemoryBlobs

            return MemoryBlobs()
        from modulo.adapters.s3_blobs import S3Blobs

        return S3Blobs(self.settings.blobs_bucket)

    @cached_property
    def web(self) -> "ports.Web":
        """Other people's servers."""
        from modulo.adapters.httpx_web import HttpxWeb

        return HttpxWeb()

    @cached_property
    def sockets(self) -> "ports.Sockets":
        """Connections that API Gateway keeps."""
        if self.settings.sockets_url == MEMORY:
            from modulo.adapters.memory_sockets import MemorySockets

            return MemorySockets()
        from modulo.adapters.gateway_sockets import GatewaySockets

        return GatewaySockets(self.settings.sockets_url)

    @cached_property
    def vectors(self) -> "ports.Vectors":
        """The vector store."""
        if self.settings.milvus_uri == MEMORY:
            from modulo.adapters.memory_vectors import MemoryVectors

            return MemoryVectors()
        from modulo.adapters.milvus_vectors import milvus_vectors

        return milvus_vectors(self.settings)

    @cached_property
    def embedder(self) -> "ports.Embedder":
        """What turns texts into vectors."""
        s = self.settings
        if s.embedding_url == MEMORY:
            from modulo.adapters.memory_embedder import MemoryEmbedder

            return MemoryEmbedder()
        if s.embedding_url == BEDROCK:
            from modulo.adapters.bedrock_embedder import BedrockEmbedder

            return BedrockEmbedder(timeout=s.model_timeout_seconds)
        from modulo.adapters.openai_embedder import OpenAIEmbedder

        return OpenAIEmbedder(
            s.embedding_url,
            api_key=_secret(s.embedding_api_key),
            batch_size=s.embedding_batch_size,
            timeout=s.model_timeout_seconds,
        )

    @cached_property
    def reranker(self) -> "ports.Reranker | None":
        """What reads a question and a passage together, where there is one."""
        s = self.settings
        if s.rerank_url == NONE:
            return None
        if s.rerank_url == MEMORY:
            from modulo.adapters.memory_reranker import MemoryReranker

            return MemoryReranker()
        from modulo.adapters.cohere_reranker import CohereReranker

        return CohereReranker(
            s.rerank_url, api_key=_secret(s.rerank_api_key), model=s.rerank_model, timeout=s.model_timeout_seconds
        )

    @cached_property
    def generator(self) -> "ports.Generator":
        """What writes answers."""
        s = self.settings
        if s.generator == "openai":
            from modulo.adapters.openai_generator import OpenAIGenerator

            return OpenAIGenerator(
                s.generator_url or "",
                api_key=_secret(s.generator_api_key),
                model=s.generator_model,
                max_tokens=s.generator_max_tokens,
                timeout=s.model_timeout_seconds,
            )
        if s.generator == "bedrock":
            from modulo.adapters.bedrock_generator import BedrockGenerator

            return BedrockGenerator(
                s.generator_model, max_tokens=s.generator_max_tokens, timeout=s.model_timeout_seconds
            )
        from modulo.adapters.extractive_generator import ExtractiveGenerator
        from modulo.adapters.memory_reranker import MemoryReranker

        return ExtractiveGenerator(self.reranker or MemoryReranker())

    def pings(self, probe: str) -> "dict[str, Callable[[], None]]":
        """A small question to each part that a ready service needs; none for a live one."""
        if probe == "live":
            return {}
        parts: dict[str, Callable[[], None]] = {
            "postgres": self.metadata.ping,
            "cache": self.cache.ping,
            "vectors": self.vectors.ping,
            "blobs": self.blobs.ping,
            "queue": self.ingests.ping,
            "embedder": self.embedder.ping,
            "generator": self.generator.ping,
        }
        more = {"reranker": self.reranker, "tesseract": self.tesseract}
        return parts | {name: part.ping for name, part in more.items() if part}

    def migrate(self) -> None:
        """Bring the database's schema up to date."""
        from modulo.adapters.postgres_schema import migrate

        migrate(self.settings)

    @property
    def tesseract(self) -> "Tesseract | None":
        """What recognises text, where that is turned on."""
        if not self.settings.ocr_languages:
            return None
        from modulo.adapters.tesseract_program import tesseract

        return tesseract(self.settings)

    @cached_property
    def parser_for(self) -> "Callable[[str], ports.Parser]":
        """The parser of a media type, which reads in a process of its own."""
        from modulo.adapters.isolated_parsers import isolated_parsers

        parsers, tesseract = isolated_parsers(self.settings, self.metrics), self.tesseract
        if tesseract is None:
            return parsers
        from modulo.adapters.recognising_parsers import RecognisingParsers

        return RecognisingParsers(parsers, tesseract, self.metrics, self.settings.part_pages)

    @cached_property
    def unpacker(self) -> "ports.Unpacker":
        """What reads archives."""
        from modulo.adapters.zip_unpacker import ZipUnpacker

        return ZipUnpacker(self.settings.archive_limits)

    @property
    def search_limits(self) -> "SearchLimits":
        """What one search may take."""
        from modulo.usecases.answering import SearchLimits

        s = self.settings
        return SearchLimits(
            max_top_k=s.max_top_k,
            rerank_candidates=s.rerank_candidates,
            result_ttl=s.search_cache_ttl,
            embedding_ttl=s.embedding_cache_ttl,
            rerank_model=s.rerank_url if s.rerank_url in (NONE, MEMORY) else s.rerank_model,
            quotas=s.quotas,
        )

    def load(self, names: "Iterable[str]") -> None:
        """Make the ports among these names, which imports their vendors but opens no connection."""
        for name in names:
            if isinstance(getattr(Services, name, None), cached_property):
                getattr(self, name)

    def connect(self) -> None:
        """Open the connections of the stores made so far, side by side.

        One that does not answer in time is left to the first request, which can say so.
        """
        made = [vars(self)[name] for name in ("metadata", "cache", "vectors") if name in vars(self)]
        threads = [Thread(target=_tried, args=(store.ping,), daemon=True) for store in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CONNECT_SECONDS)

    def close(self) -> None:
        """Close the connections of everything made so far; what is asked for next opens others."""
        for part in list(vars(self).values()):
            close = getattr(part, "close", None)
            if callable(close):
                close()

    def upload_limits(self, max_bytes: int) -> "UploadLimits":
        """What one upload may take."""
        from modulo.usecases.create_upload import UploadLimits

        s = self.settings
        deadline_seconds = s.presign_seconds + s.ingest_deadline_seconds
        return UploadLimits(s.quotas, max_bytes, s.presign_seconds, deadline_seconds)

    @property
    def ingest_limits(self) -> "IngestLimits":
        """How ingestion is cut into steps."""
        from modulo.usecases.indexing import IndexLimits
        from modulo.usecases.ingest_file import IngestLimits

        s = self.settings
        return IngestLimits(
            max_bytes=s.max_file_bytes,
            part_pages=s.part_pages,
            part_bytes=s.ingest_part_bytes,
            index=IndexLimits(
                embedding_batch=s.embedding_batch_size,
                embedding_concurrency=s.embedding_concurrency,
                embedding_ttl=s.embedding_cache_ttl,
                vector_batch=s.vector_batch_size,
                run_seconds=s.ingest_run_seconds,
            ),
            quotas=s.quotas,
            lease_seconds=s.ingest_lease_seconds,
            deadline_seconds=s.ingest_deadline_seconds,
            attempts=s.ingest_attempts,
            recognises=bool(s.ocr_languages),
        )


def _tried(ping: "Callable[[], None]") -> None:
    with suppress(ModuloError):
        ping()


def _secret(value: "SecretStr | None") -> str | None:
    return value.get_secret_value() if value else None


_current: Services | None = None


def services() -> Services:
    """The services of this environment."""
    global _current  # noqa: PLW0603 - one set an environment, made on first use
    if _current is None:
        _current = Services(settings())
    return _current


def install(chosen: Services | None) -> None:
    """Use these services from now on; None makes them anew from the settings."""
    global _current  # noqa: PLW0603 - see `services`
    _current = chosen
