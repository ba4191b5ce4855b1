"""Antecedents: what a part of a question points to ("it", "they"), as the first part names it."""

from collections.abc import Sequence

from modulo.domain.text.question_words import (
    ARTICLES,
    AUXILIARIES,
    MEASURES,
    POINTING,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    REQUESTS,
    SUPPORTING,
    Word,
)

MAX_TOPIC_WORDS = 6
"""A longer one is put behind the part, in brackets, where a shorter one takes the pronoun's place."""
_REPLACED = frozenset(("it", "they", "them", "er", "es", "sie"))
_OWNING = frozenset(("its", "their"))
_DENYING = frozenset(("not", "never", "nicht", "nie"))


def topic_of(first: Sequence[Word]) -> str:
    """The noun phrase that a question is about: what is left of it without its question words and verbs.

    Of "the warranty of the station" it is the station; empty where nothing is left, and where somebody asks what "I"
    can do.
    """
    if any(word.key in PRONOUNS for word in first):
        return ""
    words = list(first)
    supported = any(word.key in SUPPORTING for word in words)
    begin = next((at + 1 for at, word in enumerate(words) if word.key in QUESTION_WORDS | REQUESTS), 0)
    words = words[begin:]
    if not any(word.key in AUXILIARIES for word in words):  # "what caused the incident": the verb is in front
        words = words[next((at for at, word in enumerate(words) if word.key in ARTICLES), 1) :]
    kept = [word for word in words if word.key not in AUXILIARIES | MEASURES | POINTING | _DENYING]
    if supported and len(kept) > 1:
        kept.pop()  # the verb
    for at in range(len(kept) - 2, 0, -1):
        if kept[at].key in ("of", "von", "des", "der") and kept[at + (kept[at].key in PREPOSITIONS)].key in ARTICLES:
            kept = kept[at + (kept[at].key in PREPOSITIONS) :]
            break
    return " ".join(word.text for word in kept).strip(" ,")


def points(part: Sequence[Word]) -> bool:
    """Whether a part points to something outside; "there is" and "is there" do not."""
    keys = [word.key for word in part]
    return any(
        key in POINTING and not (key == "there" and AUXILIARIES & set(keys[max(at - 1, 0) : at + 2]))
        for at, key in enumerate(keys)
    )


def named(part: Sequence[Word], topic: str) -> tuple[str, str]:
    """The part with the topic in its pronoun's place, and nothing; or as it is, and the topic to be put behind it."""
    names = topic.lower().split()
    if any(name in ARTICLES for name in names[1:]) or len(names) > MAX_TOPIC_WORDS:
        return _text(part), topic
    for at, word in enumerate(part):
        if word.key in _REPLACED | _OWNING:
            put = f"{topic}'s" if word.key in _OWNING else topic
            return " ".join(filter(None, (_text(part[:at]), put, _text(part[at + 1 :])))), ""
    return _text(part), topic


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
