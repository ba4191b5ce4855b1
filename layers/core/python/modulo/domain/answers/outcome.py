"""The outcomes of a question, and how those without an answer are worded."""

from collections.abc import Mapping
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a question."""

    answered = "answered"
    """There is an answer, each citation of which was checked."""
    not_found = "not_found"
    """The documents do not answer the question."""
    unverified = "unverified"
    """A model answered, but the passages that it cites do not support it."""
    cut_short = "cut_short"
    """The tokens that were asked for ended before the first sentence did."""


NOT_FOUND = "The documents of this collection do not answer this question."
UNVERIFIED = (
    "An answer was written, but the passages that it cites do not support it, so it is not shown. "
    "The nearest passages may help."
)
_NOT_FOUND: Mapping[str, str] = {
    "de": "Die Dokumente dieser Sammlung beantworten diese Frage nicht.",
    "fr": "Les documents de cette collection ne r\u00e9pondent pas \u00e0 cette question.",
    "es": "Los documentos de esta colecci\u00f3n no responden a esta pregunta.",
    "it": "I documenti di questa raccolta non rispondono a questa domanda.",
    "pt": "Os documentos desta cole\u00e7\u00e3o n\u00e3o respondem a esta pergunta.",
    "nl": "De documenten van deze verzameling beantwoorden deze vraag niet.",
    "zh": "\u6b64\u6587\u6863\u96c6\u4e2d\u6ca1\u6709\u8be5\u95ee\u9898\u7684\u7b54\u6848\u3002",
}
_UNVERIFIED: Mapping[str, str] = {
    "de": "Eine Antwort wurde verfasst, aber die zitierten Passagen st\u00fctzen sie nicht; sie wird deshalb nicht "
    "gezeigt. Die n\u00e4chstliegenden Passagen helfen vielleicht.",
    "fr": "Une r\u00e9ponse a \u00e9t\u00e9 r\u00e9dig\u00e9e, mais les passages cit\u00e9s ne l\u2019appuient "
    "pas\u00a0; elle n\u2019est donc pas affich\u00e9e. Les passages les plus proches peuvent aider.",
    "es": "Se redact\u00f3 una respuesta, pero los pasajes citados no la respaldan, por lo que no se muestra. "
    "Los pasajes m\u00e1s cercanos pueden ayudar.",
    "it": "\u00c8 stata scritta una risposta, ma i passaggi citati non la sostengono, quindi non viene mostrata. "
    "I passaggi pi\u00f9 vicini possono aiutare.",
    "pt": "Uma resposta foi escrita, mas as passagens citadas n\u00e3o a sustentam, por isso n\u00e3o \u00e9 mostrada. "
    "As passagens mais pr\u00f3ximas podem ajudar.",
    "nl": "Er is een antwoord geschreven, maar de aangehaalde passages ondersteunen het niet; daarom wordt het niet "
    "getoond. De meest verwante passages helpen misschien.",
    "zh": "\u5df2\u751f\u6210\u56de\u7b54\uff0c\u4f46\u5176\u5f15\u7528\u7684\u6bb5\u843d\u4e0d\u652f\u6301\u8be5"
    "\u56de\u7b54\uff0c\u56e0\u6b64\u4e0d\u4e88\u663e\u793a\u3002\u6700\u76f8\u5173\u7684\u6bb5\u843d\u53ef\u80fd"
    "\u6709\u5e2e\u52a9\u3002",
}


def wording(outcome: Outcome, language: str | None) -> str:
    """What is said in place of an answer, in the language where it is known here, else in English.

    Nothing where it was cut short: there was no room for it.
    """
    if outcome is Outcome.cut_short:
        return ""
    if outcome is Outcome.unverified:
        return _UNVERIFIED.get(language or "en", UNVERIFIED)
    return _NOT_FOUND.get(language or "en", NOT_FOUND)
