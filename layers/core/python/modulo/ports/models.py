"""Embedders, rerankers and generators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections import abc

    from modulo.domain.answers.answer import AnswerDraft, DraftPart, Prompt
    from modulo.domain.collections.collection import EmbeddingModel


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    def embed(self, model: EmbeddingModel, texts: Sequence[str], *, whole: bool = False) -> list[list[float]]:
        """One vector a text, in order, finite and of the model's dimensions.

        Of a longer text than the model reads, the beginning may be embedded; with `whole`, it is refused instead,
        unless the model's server cuts it itself.

        Raises:
            Throttled: the model takes no more requests at present.
            RefusedByModel: the model refuses the texts, or one of them.
            BadModelAnswer: the vectors are not of that form.
        """
        ...

    def ping(self) -> None:
        """Check that the model answers."""
        ...


class Reranker(Protocol):
    """A model that reads a question and a text together."""

    @property
    def name(self) -> str:
        """The model's name, which tells the scale of its scores."""
        ...

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question, from 0 to 1, in the order of the texts.

        Raises:
            Throttled: the model takes no more requests at present.
            BadModelAnswer: the scores are not of that form.
        """
        ...

    def ping(self) -> None:
        """Check that the model answers."""
        ...


class Generator(Protocol):
    """A generator of answers."""

    name: str
    """The kind of generator and its model, such as "extractive" or "openai:gpt-5-mini"."""

    def reserve(self, prompt: Prompt) -> int:
        """The most tokens that `generate` may use for the prompt; 0 for a model that is not metered."""
        ...

    def generate(self, prompt: Prompt) -> AnswerDraft:
        """A draft that cites its passages with marks [n]; empty where they do not answer the question.

        Raises:
            Throttled: the model takes no more requests at present.
            BadModelAnswer: the model answered with nothing usable.
        """
        ...

    def stream(self, prompt: Prompt) -> abc.Generator[DraftPart, None, None]:
        """The draft as it is written; all parts joined are a draft as `generate` gives it.

        A part comes for each that the model sends. Closing the iterator stops the generation.

        Raises:
            Throttled, BadModelAnswer: as `generate`, before the first part or behind any.
        """
        ...

    def ping(self) -> None:
        """Check that the model answers, at no cost."""
        ...
