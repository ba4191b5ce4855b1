"""Words of questions, in English and German, and a question cut into words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


QUESTION_WORDS = _words(
    "what when where who whom whose which why how was wann wo wer wem wen wessen welche welcher welches welchen "
    "welchem warum wieso weshalb wie wohin woher womit wodurch worauf wofür woran wieviel wieviele"
)
AUXILIARIES = _words(
    "is are was were do does did can could will would should has have had may must "
    "ist sind war waren kann können darf dürfen muss müssen soll sollen hat haben wird werden"
)
SUPPORTING_IN_ENGLISH = _words("do does did can could will would should may must")
SUPPORTING = SUPPORTING_IN_ENGLISH | _words("kann können darf dürfen muss müssen soll sollen wird werden")
"""Auxiliaries whose verb comes last, or near it."""
REQUESTS = _words(
    "compare list name tell give explain describe show summarize summarise "
    "vergleiche vergleich nenne nenn sag erkläre beschreibe zeige liste"
)
PERSONS = _words("i you we they he she one ich du wir er man")
PRONOUNS = PERSONS | _words("it es")
SUBJECTS = PRONOUNS | _words(
    "there this that these those the a an my our your their its his her any all each every "
    "sie das der die ein eine mein meine unser unsere ihr ihre sein seine jeder jede jedes"
)
PREPOSITIONS = _words(
    "of for in on at with without by from under during after before to per until about "
    "von für in im am bei mit ohne aus unter während nach vor zu zum zur bis über auf"
)
ARTICLES = _words(
    "the a an my our your their its his her der die das den dem des ein eine einen einem einer eines mein meine "
    "unser unsere"
)
JOINTS = _words("and or but und oder aber sowie & plus")
LONGER_JOINTS = (("as", "well", "as"), ("along", "with"), ("and", "also"), ("und", "auch"), ("sowie", "auch"))
VERSUS = _words("vs versus")
COMPARISONS = _words("compare difference differences compared vergleiche vergleich unterschied unterschiede")
POINTING = _words(
    "it its they them their he him his she her this that these those there then "
    "er ihn ihm sein seine seinen seiner sie ihr ihre ihren ihrer es dessen deren dieser diese dieses dort dann dafür "
    "dabei davon damit"
)
MEASURES = _words(
    "long many much often high deep far old big large heavy tall late "
    "lange viel viele oft hoch weit tief alt groß schwer spät"
)
"""What "how" asks for."""
PERSONS_AND_PLACES = _words("he him his she her there er ihn ihm sie dort")
NAME_QUESTIONS = _words("who whom which where wer wem wen welche welcher welches welchen wo")

_TOKEN = re.compile(r"[^\s?;,]+|[?;,]")
_AROUND = "\"'():.!\u201c\u201d\u201e\u00ab\u00bb"


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written; `key` is in small letters and without punctuation, which is a word of its own."""

    text: str
    key: str
    start: int
    end: int


def words_of(question: str) -> list[Word]:
    """The words of a question, and each of ? ; and , by itself."""
    return [Word(m[0], m[0].lower().strip(_AROUND) or m[0], m.start(), m.end()) for m in _TOKEN.finditer(question)]


def joint_end(words: Sequence[Word], place: int) -> int:
    """Where the word behind a joint stands ("and", "as well as", a comma), or 0 where none is at this place."""
    at = place
    while at < len(words) and words[at].text == ",":
        at += 1
    for longer in LONGER_JOINTS:
        if tuple(word.key for word in words[at : at + len(longer)]) == longer:
            return at + len(longer)
    if at < len(words) and words[at].key in JOINTS:
        at += 1
    return at if at > place else 0
