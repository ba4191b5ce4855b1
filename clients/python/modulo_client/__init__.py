"""A typed client of Modulo, synchronous (`Modulo`) and asynchronous (`AsyncModulo`)."""

from modulo_client.aio.answers import AsyncAnswerStream
from modulo_client.aio.client import AsyncModulo
from modulo_client.aio.collections import AsyncCollection
from modulo_client.aio.conversations import AsyncConversation
from modulo_client.errors import (
    ApiProblem,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    InvalidResponse,
    ModuloError,
    NotFound,
    NotReady,
    NotSent,
    ServerFailed,
    Throttled,
    TooLarge,
    Unauthenticated,
    UploadRefused,
)
from modulo_client.folder_plan import SyncPlan, SyncReport
from modulo_client.sources import Added, Progress, Source
from modulo_client.sync.answers import AnswerStream
from modulo_client.sync.client import Modulo
from modulo_client.sync.collections import Collection
from modulo_client.sync.conversations import Conversation

__all__ = [
    "Added",
    "AnswerStream",
    "ApiProblem",
    "AsyncAnswerStream",
    "AsyncCollection",
    "AsyncConversation",
    "AsyncModulo",
    "Collection",
    "Conflict",
    "ConnectionFailed",
    "Conversation",
    "Forbidden",
    "InvalidRequest",
    "InvalidResponse",
    "Modulo",
    "ModuloError",
    "NotFound",
    "NotReady",
    "NotSent",
    "Progress",
    "ServerFailed",
    "Source",
    "SyncPlan",
    "SyncReport",
    "Throttled",
    "TooLarge",
    "Unauthenticated",
    "UploadRefused",
]
