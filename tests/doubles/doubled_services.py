"""Services of which all but the metadata are doubles."""

from modulo.adapters.models.word_overlap_reranker import WordOverlapReranker
from modulo.ports.clock import Clock
from modulo.services import Services
from modulo.settings import Settings
from tests.doubles.memory_blobs import MemoryBlobs
from tests.doubles.memory_cache import MemoryCache
from tests.doubles.memory_embedder import MemoryEmbedder
from tests.doubles.memory_metrics import MemoryMetrics
from tests.doubles.memory_queue import MemoryQueue
from tests.doubles.memory_vectors import MemoryVectors
from tests.doubles.memory_websockets import MemoryWebSockets


def doubled_services(settings: Settings, clock: Clock) -> Services:
    """Their own for each test; queues move to the dead letters what was delivered `INGEST_ATTEMPTS` times."""
    made = Services(settings)
    made.clock = clock
    made.cache, made.blobs, made.vectors = MemoryCache(), MemoryBlobs(), MemoryVectors()
    made.embedder, made.reranker = MemoryEmbedder(), WordOverlapReranker()
    made.metrics, made.sockets = MemoryMetrics(), MemoryWebSockets()
    made.dead_letter_queue = dead_letters = MemoryQueue()
    attempts = settings.ingest_attempts
    made.ingests, made.fetches, made.purges = (MemoryQueue(dead_letters, attempts=attempts) for _ in range(3))
    made.pushes, made.schedules = MemoryQueue(), MemoryQueue()
    return made
