"""Terms as Milvus stores and seeks them, in texts that every server's tokenizer cuts at the spaces and nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from Stemmer import Stemmer

from modulo.adapters.milvus.schema import MAX_LENGTHS, TERMS
from modulo.domain.text.language import language_of
from modulo.domain.text.lexical import Analysis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modulo.domain.documents.chunk import Chunk

FALLBACK = "en"
"""The language of a text that does not tell its own."""
UNCLEAR = ("en", "de", "fr", "es", "it", "pt", "nl", "ru")
"""A question that does not tell its language is analysed in each of these: a stem of the wrong one finds nothing."""
_ALGORITHMS = {
    "ar": "arabic",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""Snowball's names of languages; words of others are stemmed as English ones, of which most texts hold some."""
_PLAIN = re.compile("(?!0x)[0-9a-z]+")


def stored_terms(chunk: Chunk, language: str) -> str:
    """The terms of a chunk and the headings above it, as they are written; as many as the field holds."""
    found = " ".join(map(encoded, _analysis(language).terms(chunk.embedded_text)))
    most = MAX_LENGTHS[TERMS]
    return found if len(found) <= most else found[: found.rfind(" ", 0, most)]


def sought_terms(question: str) -> str:
    """The terms of a question, each once, as they are sought."""
    known = language_of(question)
    terms = (term for language in ([known] if known else UNCLEAR) for term in _analysis(language).terms(question))
    return " ".join(map(encoded, dict.fromkeys(terms)))


def encoded(term: str) -> str:
    """The term in small letters and digits of ASCII; no two terms become the same."""
    return term if _PLAIN.fullmatch(term) else "0x" + term.encode(errors="replace").hex()


def languages(chunks: Iterable[Chunk]) -> Iterator[str]:
    """Each chunk's language: where its text does not tell, that of the one before."""
    known = FALLBACK
    for chunk in chunks:
        known = language_of(chunk.embedded_text) or known
        yield known


def _analysis(language: str) -> Analysis:
    stemmer = Stemmer(_ALGORITHMS.get(language, "english"))  # of this call alone: threads cannot share one
    return Analysis(language, stemmer.stemWord)
