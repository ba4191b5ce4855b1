"""Questions in a conversation and their answers, as the API takes and gives them."""

from uuid import UUID

from pydantic import Field

from modulo.domain.model import FrozenModel
from modulo.domain.request_model import RequestModel
from modulo.domain.search.search import MAX_COLLECTIONS, ConfigMetadata, Question, SearchOutput


class ConversationQuestion(RequestModel):
    """A question in a conversation; it may point back to what was said ("And how long does it last?")."""

    question: Question
    collection_id: UUID | None = Field(default=None, description="the conversation's where null")
    collection_ids: tuple[UUID, ...] | None = Field(
        default=None, min_length=1, max_length=MAX_COLLECTIONS, description="several, instead of collection_id"
    )
    config_metadata: ConfigMetadata = ConfigMetadata()


class ConversationAnswer(FrozenModel):
    """The search's answer, and the ids under which question and answer were stored."""

    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    search: SearchOutput
