"""What models read of a passage: its document and headings, then its text; of a long one, the best window."""

import re
from collections.abc import Sequence, Set

from modulo.domain.documents.outline import BETWEEN_HEADINGS
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.passage_sentences import PassageSentence, passage_sentences
from modulo.domain.text.stemming import content_words
from modulo.domain.text.table_rows import CELL

MAX_LABEL_CHARACTERS = 200
_BETWEEN_WORDS = re.compile(r"[\s_\-]+")
_TELLING = re.compile(r"[^\W\d_]{3}")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def label(passage: Passage, question_words: Set[str] = frozenset(), *, section: bool = True) -> str:
    """What stands above the passage: the document's name as words, its title and the headings; each thing once.

    A name such as p303 is left out, unless the question holds it. Without `section`, so is the nearest of several
    headings.
    """
    name = _BETWEEN_WORDS.sub(" ", _EXTENSION.sub("", passage.document.name)).strip()
    if not _TELLING.search(name) and not set(content_words(name)).intersection(question_words):
        name = ""
    headings = passage.hit.chunk.heading.split(BETWEEN_HEADINGS)
    above = headings if section or len(headings) == 1 else headings[:-1]
    parts = [name, passage.document.info.title or "", *above]
    kept: list[str] = []
    for part in parts:
        words = set(content_words(part))
        if words and not words <= {word for one in kept for word in content_words(one)}:
            kept.append(part)
    return BETWEEN_HEADINGS.join(kept)[:MAX_LABEL_CHARACTERS]


def reading(passage: Passage, question_words: Set[str], *, max_words: int) -> str:
    """The label and, below it, the window of the text that shares most words with the question.

    Rows of tables are spelled out, below what names the table.
    """
    text = passage.text
    if CELL in text or len(text.split()) > max_words:
        text = _window(passage_sentences(text), question_words, max_words) or text
    return f"{label(passage, question_words)}\n{text}".strip()


def _window(found: Sequence[PassageSentence], question_words: Set[str], max_words: int) -> str:
    """The run of sentences, of at most so many words together, that holds most of the question's words."""
    texts = [sentence.spelled_out for sentence in found]
    lengths = [len(text.split()) for text in texts]
    words = [question_words & set(content_words(text)) for text in texts]
    best, span = (-1.0, 0), slice(0)
    for first in range(len(texts)):
        total, held, last, together = 0, frozenset[str](), first, 0
        while last < len(texts) and (last == first or total + lengths[last] <= max_words):
            total += lengths[last]
            held |= words[last]
            together += len(words[last])
            last += 1
        value = (len(held) + together / 100, total)
        if value > best:
            best, span = value, slice(first, last)
    return _joined(found[span])


def _joined(run: Sequence[PassageSentence]) -> str:
    """The sentences, each below the heading and the introduction that the ones before it do not share."""
    lines: list[str] = []
    for sentence in run:
        for line in (*sentence.headings[-1:], sentence.lead):
            if line and line not in lines:
                lines.append(line)
        lines.append(sentence.spelled_out)
    return "\n".join(lines)
