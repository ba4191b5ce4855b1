"""The composition root: which adapter stands behind each port, made on first use and kept."""

from contextlib import suppress
from functools import cached_property, partial
from threading import Thread
from typing import TYPE_CHECKING

from modulo.domain.errors import ModuloError
from modulo.services.metadata import Metadata
from modulo.settings import NONE, Settings, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import SecretStr

    from modulo.adapters.parsing.ocr.tesseract import Tesseract
    from modulo.domain.tenancy.identity import Principal
    from modulo.ports.blobs import Blobs
    from modulo.ports.cache import Cache
    from modulo.ports.clock import Clock
    from modulo.ports.models import Embedder, Generator, Reranker
    from modulo.ports.parsing import Parser, Unpacker
    from modulo.ports.secrets import Secret
    from modulo.ports.tokens import Tokens
    from modulo.ports.vectors import Vectors
    from modulo.ports.web import Web
    from modulo.ports.websockets import WebSockets
    from modulo.settings import GeneratorChoice
    from modulo.usecases.create_upload import UploadLimits
    from modulo.usecases.ingest_file.limits import IngestLimits
    from modulo.usecases.search.limits import SearchLimits
    from modulo.usecases.worker_heartbeats import WorkerStatus

BEDROCK = "bedrock:"
ANTHROPIC_URL = "https://api.anthropic.com/v1"
CONNECT_SECONDS = 3
"""Each store's share of the 10 seconds that Lambda gives an environment to come back."""


class Services(Metadata):
    """One instance an environment; every property imports its vendor when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.known_keys: dict[bytes, tuple[float, Principal]] = {}
        """API keys by hash and tenants of tokens by id, found valid, each with the moment until which to trust it."""

    @cached_property
    def clock(self) -> "Clock":
        """The time."""
        from modulo.adapters.system_clock import SystemClock

        return SystemClock()

    @cached_property
    def tokens(self) -> "Tokens | None":
        """Bearer tokens, where an issuer is configured."""
        s = self.settings
        return self._issued(s.oidc_issuer, s.oidc_audience, s.oidc_jwks_url)

    @cached_property
    def event_senders(self) -> "Tokens | None":
        """Tokens of those who send events over HTTP, where their issuer is configured."""
        s = self.settings
        return self._issued(s.events_issuer, s.events_audience, s.events_jwks_url)

    def _issued(self, issuer: str | None, audience: str | None, jwks_url: str | None) -> "Tokens | None":
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
    def cache(self) -> "Cache":
        """Results and vectors that may be forgotten."""
        from modulo.adapters.valkey_cache import ValkeyCache

        s = self.settings
        url = stored_or_given(s.address("cache_url"))
        return ValkeyCache(url, timeout=s.cache_timeout_seconds, metrics=self.metrics)

    @cached_property
    def blobs(self) -> "Blobs":
        """Uploaded bytes."""
        from modulo.adapters.aws.s3_blobs import S3Blobs

        return S3Blobs(self.settings.address("blobs_bucket"))

    @cached_property
    def web(self) -> "Web":
        """Other people's servers."""
        from modulo.adapters.httpx_web import HttpxWeb

        return HttpxWeb()

    @cached_property
    def sockets(self) -> "WebSockets":
        """Connections that API Gateway keeps."""
        if self.settings.sockets_url == NONE:
            from modulo.adapters.no_websockets import NoWebSockets

            return NoWebSockets()
        from modulo.adapters.aws.gateway_websockets import GatewayWebSockets

        return GatewayWebSockets(self.settings.sockets_url)

    @cached_property
    def vectors(self) -> "Vectors":
        """The vector store."""
        from modulo.adapters.milvus.vectors import milvus_vectors

        return milvus_vectors(self.settings, secret_of(self.settings.milvus_token))

    @cached_property
    def embedder(self) -> "Embedder":
        """What turns texts into vectors."""
        s = self.settings
        address = s.address("embedding_url")
        if address == BEDROCK:
            from modulo.adapters.models.bedrock_embedder import BedrockEmbedder

            return BedrockEmbedder(timeout=s.model_timeout_seconds)
        from modulo.adapters.models.openai_embedder import OpenAIEmbedder

        return OpenAIEmbedder(
            address,
            api_key=secret_of(s.embedding_api_key),
            batch_size=s.embedding_batch_size,
            timeout=s.model_timeout_seconds,
        )

    @cached_property
    def reranker(self) -> "Reranker | None":
        """What reads a question and a passage together, where there is one."""
        s = self.settings
        if s.rerank_url == NONE:
            return None
        from modulo.adapters.models.cohere_reranker import CohereReranker

        # Extracts ask it too: they wait no longer for one that hangs than the passages did before them.
        timeout = min(s.model_timeout_seconds, s.rerank_seconds)
        return CohereReranker(s.rerank_url, api_key=secret_of(s.rerank_api_key), model=s.rerank_model, timeout=timeout)

    @cached_property
    def generator(self) -> "Generator":
        """What writes answers."""
        made = [self._generator(choice) for choice in self.settings.generators]
        if len(made) == 1 and self.settings.generator == "extractive":
            return made[0]
        from modulo.adapters.models.generator_chain import GeneratorChain

        return GeneratorChain(made)

    def _generator(self, choice: "GeneratorChoice") -> "Generator":
        s = self.settings
        most, timeout = s.generator_max_tokens, s.model_timeout_seconds
        if choice.kind == "openai":
            from modulo.adapters.models.openai_generator import OpenAIGenerator

            key = secret_of(choice.api_key)
            return OpenAIGenerator(choice.url or "", api_key=key, model=choice.model, max_tokens=most, timeout=timeout)
        if choice.kind == "anthropic":
            from modulo.adapters.models.anthropic_generator import AnthropicGenerator

            key = secret_of(choice.api_key)
            return AnthropicGenerator(
                choice.url or ANTHROPIC_URL, api_key=key, model=choice.model, max_tokens=most, timeout=timeout
            )
        if choice.kind == "bedrock":
            from modulo.adapters.models.bedrock_generator import BedrockGenerator

            return BedrockGenerator(choice.model, max_tokens=most, timeout=timeout)
        from modulo.adapters.models.extractive_generator import ExtractiveGenerator
        from modulo.adapters.models.word_overlap_reranker import WordOverlapReranker

        return ExtractiveGenerator(self.reranker or WordOverlapReranker())

    def worker_statuses(self) -> "tuple[WorkerStatus, ...]":
        """Whether a worker of each event function that should have one was seen lately."""
        from modulo.usecases.worker_heartbeats import worker_statuses

        return worker_statuses(self.settings.expected_workers, cache=self.cache, now=self.clock.now())

    def pings(self) -> "dict[str, Callable[[], None]]":
        """A small question to each part that a ready service needs."""
        ports = {"postgres": "database", "queue": "ingests"} | {
            name: name for name in ("cache", "vectors", "blobs", "embedder", "generator")
        }
        more = {"reranker": self.reranker, "tesseract": self.tesseract}
        return {name: partial(self._ping, port) for name, port in ports.items()} | {
            name: part.ping for name, part in more.items() if part
        }

    def _ping(self, port: str) -> None:
        getattr(self, port).ping()

    def migrate(self, *, seconds: float | None = None) -> str:
        """Bring the database's schema up to date, within so many seconds; the revision reached."""
        from modulo.adapters.postgres.schema import migrate

        s = self.settings
        return migrate(
            s,
            owner_password=_stored(s.database_owner_secret),
            functions_password=_stored(s.database_functions_secret),
            seconds=seconds,
        )

    @property
    def tesseract(self) -> "Tesseract | None":
        """What recognises text, where that is turned on."""
        if not self.settings.ocr_languages:
            return None
        from modulo.adapters.parsing.ocr.tesseract import tesseract

        return tesseract(self.settings)

    @cached_property
    def parser_for(self) -> "Callable[[str], Parser]":
        """The parser of a media type, which reads in a process of its own."""
        from modulo.adapters.parsing.sandbox.isolated_parsers import isolated_parsers

        parsers, tesseract = isolated_parsers(self.settings, self.metrics), self.tesseract
        if tesseract is None:
            return parsers
        from modulo.adapters.parsing.ocr.ocr_parsers import OcrParsers

        return OcrParsers(parsers, tesseract, self.metrics, self.settings.part_pages)

    @cached_property
    def unpacker(self) -> "Unpacker":
        """What reads archives."""
        from modulo.adapters.parsing.zip_unpacker import ZipUnpacker

        return ZipUnpacker(self.settings.archive_limits)

    @property
    def search_limits(self) -> "SearchLimits":
        """What one search may take."""
        from modulo.usecases.search.limits import SearchLimits

        s = self.settings
        return SearchLimits(
            max_top_k=s.max_top_k,
            embedding_seconds=s.query_embedding_seconds,
            rerank_candidates=s.rerank_candidates,
            rerank_seconds=s.rerank_seconds,
            result_ttl=s.search_cache_ttl,
            embedding_ttl=s.embedding_cache_ttl,
            rerank_model=NONE if s.rerank_url == NONE else s.rerank_model,
            quotas=s.quotas,
            defaults=s.search_defaults,
        )

    def load(self, names: "Iterable[str]") -> None:
        """Make these ports, which imports their vendors but opens no connection."""
        for name in names:
            getattr(self, name)

    def connect(self) -> None:
        """Open the connections of the stores made so far, side by side.

        One that does not answer in time is left to the first request, which can say so.
        """
        made = [vars(self)[name] for name in ("_pools", "cache", "vectors") if name in vars(self)]
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
        from modulo.usecases.ingest_file.limits import IndexLimits, IngestLimits

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


def _stored(secret: str | None) -> str | None:
    """The password in a secret of AWS, where one is named."""
    if secret is None:
        return None
    from modulo.adapters.aws.secrets import password

    return password(secret)


def secret_of(value: "SecretStr | None") -> "str | Secret | None":
    """A setting that holds a secret or the ARN of one."""
    return stored_or_given(value.get_secret_value()) if value else None


def stored_or_given(text: str) -> "str | Secret":
    """A secret: the text itself, or the one that AWS keeps under it where it is an ARN."""
    if not text.startswith("arn:"):
        return text
    from modulo.adapters.aws.stored_secret import StoredSecret

    return StoredSecret(text)


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
