"""Whether texts deny or affirm, by their words, clause by clause."""

import re

from modulo.domain.text.sentences import sentences
from modulo.domain.text.stemming import content_words

_NEGATOR = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|cannot|without|unable|\w{2,8}n['\u2019]t|"
    r"nicht|nichts|kein(?:e|en|em|er|es)?|nie|niemals|niemand|ohne|weder|"
    r"pas|jamais|sans|aucune?|rien|nunca|ning\u00fan|ninguna?|sin|nada|non|mai|senza|nessun[oa]?|n\u00e3o|sem|nem|"
    r"niet|geen|nooit|zonder)\b|[\u4e0d\u6ca1\u672a\u65e0\u975e]",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\bnos?\.\s?(?:of\b|[|#\d]|[a-z]{1,5}-?\d)", re.IGNORECASE)  # no. 7, the column "No."
_CLAUSE_END = re.compile(
    r"[,;:()\u2013\u2014\u2026\uff0c\uff1b]\s?|\b(?:but|although|though|while|whereas|except|unless|aber|sondern|obwohl|mais|"
    r"pero|sino|ma|mas|maar)\b",
    re.IGNORECASE,
)


def denies(text: str) -> bool:
    """Whether the text has a word that denies."""
    return bool(_NEGATOR.search(_NUMBER.sub("", text)))


def clauses(text: str) -> list[str]:
    """The text cut at commas, colons, brackets, gaps and words such as "but"."""
    return [clause for clause in (part.strip() for part in _CLAUSE_END.split(text)) if clause]


def agrees(statement: str, evidence: list[str]) -> bool:
    """Whether the clauses of the evidence that say most of each of the statement's clauses deny where it denies."""
    known = [(frozenset(content_words(clause)), denies(clause)) for clause in evidence]
    parts = [clause for sentence in sentences(statement) for clause in clauses(sentence.text)]
    told = [(words, denies(clause)) for clause in parts if len(words := set(content_words(clause))) > 1]
    told = told or [(set(content_words(statement)), denies(statement))]
    for words, denied in told:
        most = max((len(words & held) for held, _ in known), default=0)
        if most and not any(len(words & held) == most and denies_too == denied for held, denies_too in known):
            return False
    return True
