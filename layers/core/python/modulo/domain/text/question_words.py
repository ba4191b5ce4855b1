"""Words of questions, in English and German, and a question cut into words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from modulo.domain.text.word_set import word_set

QUESTION_WORDS = word_set(
    "what when where who whom whose which why how was wann wo wer wem wen wessen welche welcher welches welchen "
    "welchem warum wieso weshalb wie wohin woher womit wodurch worauf wofür woran wieviel wieviele"
)
AUXILIARIES = word_set(
    "is are was were do does did can could will would should has have had may must "
    "ist sind war waren kann können darf dürfen muss müssen soll sollen hat haben wird werden"
)
SUPPORTING_IN_ENGLISH = word_set("do does did can could will would should may must")
SUPPORTING = SUPPORTING_IN_ENGLISH | word_set("kann können darf dürfen muss müssen soll sollen wird werden")
"""Auxiliaries whose verb comes last, or near it."""
REQUESTS = word_set(
    "compare list name tell give explain describe show summarize summarise "
    "vergleiche vergleich nenne nenn sag erkläre beschreibe zeige liste"
)
PERSONS = word_set("i you we they he she one ich du wir er man")
PRONOUNS = PERSONS | word_set("it es")
SUBJECTS = PRONOUNS | word_set(
    "there this that these those the a an my our your their its his her any all each every "
    "sie das der die ein eine mein meine unser unsere ihr ihre sein seine jeder jede jedes"
)
PREPOSITIONS = word_set(
    "of for in on at with without by from under during after before to per until about "
    "von für in im am bei mit ohne aus unter während nach vor zu zum zur bis über auf"
)
ARTICLES = word_set(
    "the a an my our your their its his her der die das den dem des ein eine einen einem einer eines mein meine "
    "unser unsere"
)
JOINTS = word_set("and or but und oder aber sowie & plus")
LONGER_JOINTS = (("as", "well", "as"), ("along", "with"), ("and", "also"), ("und", "auch"), ("sowie", "auch"))
VERSUS = word_set("vs versus")
COMPARISONS = word_set("compare difference differences compared vergleiche vergleich unterschied unterschiede")
POINTING = word_set(
    "it its they them their he him his she her this that these those there then "
    "er ihn ihm sein seine seinen seiner sie ihr ihre ihren ihrer es dessen deren dieser diese dieses dort dann dafür "
    "dabei davon damit"
)
MEASURES = word_set(
    "long many much often high deep far old big large heavy tall late "
    "lange viel viele oft hoch weit tief alt groß schwer spät"
)
"""What "how" asks for."""
PERSONS_AND_PLACES = word_set("he him his she her there er ihn ihm sie dort")
NAME_QUESTIONS = word_set("who whom which where wer wem wen welche welcher welches welchen wo")

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
