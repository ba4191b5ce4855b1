"""Persons: questions for the one who does or holds something, and texts that may name one."""

import re
from collections.abc import Iterable

from modulo.domain.text.language import language_of
from modulo.domain.text.question_words import (
    ARTICLES,
    AUXILIARIES,
    JOINTS,
    POINTING,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    SUBJECTS,
)
from modulo.domain.text.stemming import content_words
from modulo.domain.text.word_set import word_set

MIN_BEGINNING = 4
"""The fewest letters by which words are taken to be of one family."""

_DOING = (
    r"leads?|led|runs?|ran|heads?|headed|manages?|managed|directs?|directed|chairs?|chaired|owns?|owned|founded|"
    r"wrote|writes|invented|designed|built|painted|composed|discovered|teaches|taught|signed|approves?|approved|"
    r"supervises?|represents?|presides|took the minutes"
)
_BEING = (
    r"(?:is|are|was|were) (?:in charge|responsible|the (?:\w+[ -]){0,3}?"
    r"(?:\w+(?:er|or|ist|ect|ian|man|woman|ant|ent|head)|head|boss|chief)\b)"
)
_DOING_IN_GERMAN = (
    r"leitet|leiteten?|f\u00fchrt|f\u00fchrte|besitzt|gr\u00fcndete|schrieb|verfasste|erfand|baute|malte|entdeckte|"
    r"unterrichtet|unterschrieb|unterschreibt|genehmigt|beaufsichtigt|vertritt|(?:hat|haben)\b.{1,60}\b(?:gegr\u00fcndet|"
    r"geschrieben|verfasst|erfunden|gebaut|gemalt|entdeckt|unterschrieben|genehmigt)"
)
_BEING_IN_GERMAN = r"(?:ist|sind|war|waren) (?:\w+ )?(?:verantwortlich|zust\u00e4ndig|(?:der|die)\b)"
_ASKS_NAME = re.compile(
    rf"\b(?:who (?:{_DOING}|{_BEING})|wer (?:{_DOING_IN_GERMAN}|{_BEING_IN_GERMAN}))\b", re.IGNORECASE
)
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Dame|Herrn?|Frau|Familie)\b\.? [A-Z\u00c0-\u00de]")
_FULL_NAME = re.compile(
    r"(?<![^\W_])([A-Z\u00c0-\u00de](?:\.|[^\W\d_]+))(?: (?:van|von|de|der|den|du|la|le|di|da|zu|al|bin))*"
    r" [A-Z\u00c0-\u00de][^\W\d_]+"
)
_NAME_WITHIN = re.compile(r"(?<=[a-z,;:|(] )[A-Z\u00c0-\u00de][^\W\d_]{2,}")
_ROLE = re.compile(
    r"\b(?:(?:\w+ )?(?:manager|director|head|chair\w*|president|officer|owner|landlord|landlady|tenant|principal|"
    r"teachers?|trainers?|coach|secretary|treasurer|clerk|supervisor|boss|chief|leader|editor|author|founders?|board|"
    r"council|committee|company|department|team|office|staff|union|association|supplier|buyer|contractor|family|"
    r"government|ministry|city|state|king|queen|employees?|members?|assembly|administrators?|he|she)|"
    r"\w*(?:leitung|leiter(?:in)?|vorstand|vorsitz\w+|direktor(?:in)?|chef(?:in)?|inhaber(?:in)?|eigent\u00fcmer\w*|"
    r"f\u00fchrung|f\u00fchrer(?:in)?|gesellschaft|gmbh|ag|verein|rat|amt|beh\u00f6rde|ministerium|stadt|gemeinde|"
    r"vermieter(?:in)?|mieter(?:in)?|lehrer(?:in)?|lehrkr\u00e4fte|trainer(?:in)?|meister(?:in)?|autor(?:in)?|"
    r"beauftragter?|beauftragten?|sekret\u00e4r\w*|kassierer\w*|abteilung|team|mitarbeiter\w*|mitglied\w*|verwaltung|"
    r"pr\u00e4sident\w*|gr\u00fcnder\w*|ingenieur\w*|architekt\w*))\b|\bby (?!\d)",
    re.IGNORECASE,
)
_DONE_BY = re.compile(
    r"\b(?:w[iu]rden?|werden|wird|ist|sind)\b.{0,100}\b(?:von|durch) (?:[a-z]\w* ){0,2}[A-Z\u00c4\u00d6\u00dc]"
)
_LATIN = re.compile(r"[A-Za-z]")
"""Other scripts do not write names with capitals."""
_NO_NAMES = ARTICLES.union(
    AUXILIARIES, JOINTS, POINTING, PREPOSITIONS, PRONOUNS, QUESTION_WORDS, SUBJECTS,
    word_set("as if no not when since because for wenn falls kein keine alle als an zwei drei nach seit weil"),
)  # fmt: skip


def asks_name(question: str) -> bool:
    """Whether the question is for the person, or the body, that leads, owns, made or answers for something."""
    return bool(_ASKS_NAME.search(question))


def may_name(text: str) -> bool:
    """Whether the text may name one: by a name, a title or a role, or as the one by whom something is done."""
    if not _LATIN.search(text) or any(pattern.search(text) for pattern in (_TITLED, _ROLE, _DONE_BY)):
        return True
    if any(name[1].casefold() not in _NO_NAMES for name in _FULL_NAME.finditer(text)):
        return True
    return language_of(text) != "de" and bool(_NAME_WITHIN.search(text))  # German writes all nouns like names


def tells_of(words: Iterable[str], text: str) -> bool:
    """Whether the text holds all of these stems or words that begin alike: "Leitung" where "leitet" is asked for."""
    known = content_words(text)
    return all(any(other.startswith(word[: max(MIN_BEGINNING, len(word) - 2)]) for other in known) for word in words)
