"""Coordination: one clause that asks the same of several things, as one clause for each."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from modulo.domain.text.question_words import (
    ARTICLES,
    AUXILIARIES,
    COMPARISONS,
    PERSONS,
    PREPOSITIONS,
    PRONOUNS,
    QUESTION_WORDS,
    REQUESTS,
    SUPPORTING,
    SUPPORTING_IN_ENGLISH,
    VERSUS,
    Word,
    joint_end,
)

MAX_ITEM_WORDS = 5
"""Of one thing in a list or a comparison."""
MAX_HEAD_WORDS = 8
"""In front of a list."""
MAX_TAIL_WORDS = 4
"""Of what is added behind the question."""

_ADVERBS = frozenset(("how", "when", "where", "why", "wie", "wann", "wo", "warum"))

_PARTICIPLES = ("ed", "ept", "ent", "ilt", "ade", "old", "wn", "en", "ght")

Clause = list[Word]
Around = tuple[Sequence[Word], Sequence[Word]]


def coordinated(clause: Clause) -> list[Clause]:
    """The clauses; the one alone where it asks for one thing, or where that is not clear."""
    for rule in _RULES:
        found = rule(clause)
        if found:
            return found
    return [clause]


def _compared(clause: Clause) -> list[Clause] | None:
    """Comparisons: A vs B, compare A with B, the difference between A and B, which …, A or B."""
    keys = [word.key for word in clause]
    place = next((at for at, key in enumerate(keys) if key in VERSUS), 0)
    if place:
        begin, behind = _item_start(clause, place), place + 1
    else:
        named = next((at for at, key in enumerate(keys) if key in COMPARISONS), None)
        if named is None:
            return _chosen(clause)
        begin = named + 1
        if begin < len(keys) and keys[begin] in ("between", "zwischen"):
            begin += 1
        place = next((at for at in range(begin + 1, len(keys)) if _joins(clause, at)), 0)
        behind = joint_end(clause, place) or place + 1
        if not place:
            return None
    end = _item_end(clause, behind)
    head = [word for word in clause[:begin] if word.key not in COMPARISONS | {"between", "zwischen"}]
    while head and head[-1].key in ARTICLES | PREPOSITIONS:
        head.pop()
    rest = clause[end:]
    items = [clause[begin:place], clause[behind:end]]
    if not all(1 <= len(item) <= MAX_ITEM_WORDS for item in items):
        return None
    return [[*head, *item, *rest] for item in items]


def _joins(clause: Clause, at: int) -> bool:
    """Whether the two sides of a comparison meet here."""
    return bool(joint_end(clause, at)) or clause[at].key in ("with", "to", "mit")


def _chosen(clause: Clause) -> list[Clause] | None:
    """Choices: which costs more, A or B."""
    if clause[0].key not in ("which", "who", "what", "welche", "welcher", "welches", "wer", "was"):
        return None
    comma = next((at for at, word in enumerate(clause) if word.text == ","), 0)
    place = next((at for at in range(comma + 1, len(clause)) if clause[at].key in ("or", "oder")), 0)
    if not comma or not place:
        return None
    items = [clause[comma + 1 : place], clause[place + 1 :]]
    if not all(1 <= len(item) <= MAX_ITEM_WORDS for item in items):
        return None
    return [[*clause[:comma], *item] for item in items]


def _listed(clause: Clause) -> list[Clause] | None:
    """Lists of three and more short things: what are the prices of A, B and C."""
    commas = [at for at, word in enumerate(clause) if word.text == ","]
    if not commas:
        return None
    last = next(
        (at for at in range(commas[-1], len(clause)) if joint_end(clause, at) > at + (clause[at].text == ",")), 0
    )
    if not last or (last == commas[-1] and len(commas) < 2):
        return None
    begin = _item_start(clause, commas[0])
    cuts = sorted({*commas, last})
    items = [clause[begin : cuts[0]]]
    items += [clause[one + 1 : other] for one, other in pairwise(cuts)]
    behind = joint_end(clause, last)
    end = _item_end(clause, behind)
    if clause[begin - 1].key in AUXILIARIES and clause[0].key in _ADVERBS and end == len(clause) > behind + 1:
        end -= 1  # the verb: "how long are A, B and C kept"
    items.append(clause[behind:end])
    if not 2 <= begin <= MAX_HEAD_WORDS or not all(1 <= len(item) <= MAX_ITEM_WORDS for item in items):
        return None
    return [[*clause[:begin], *item, *clause[end:]] for item in items]


def _added(clause: Clause) -> list[Clause] | None:
    """Short additions behind a comma: how long are logs kept, and invoices."""
    place = next((at for at in range(len(clause) - 1, 0, -1) if clause[at].text == ","), 0)
    behind = joint_end(clause, place) if place else 0
    tail = clause[behind:]
    if behind <= place + 1 or not 1 <= len(tail) <= MAX_TAIL_WORDS or any(word.key in AUXILIARIES for word in tail):
        return None
    same = next((at for at in range(place - 1, len(tail) - 1, -1) if clause[at].key == tail[-1].key), 0)
    if same:  # "how much annual leave …, and parental leave"
        return [clause[:place], [*clause[: same - len(tail) + 1], *tail, *clause[same + 1 : place]]]
    head, end = _around_object(clause[:place]) or _around_subject(clause[:place])
    if not head or tail[0].key in PREPOSITIONS:
        return None
    return [clause[:place], [*head, *tail, *end]]


def _parallel(clause: Clause) -> list[Clause] | None:
    """Prepositions side by side: the price of A and of B; how long is notice during … and after that."""
    for place in range(2, len(clause)):
        behind = joint_end(clause, place)
        if not behind or behind >= len(clause) or clause[behind].key not in PREPOSITIONS:
            continue
        same = [at for at in range(1, place) if clause[at].key == clause[behind].key]
        other = [at for at in range(1, place) if clause[at].key in PREPOSITIONS]
        if same or other:
            begin = (same or other)[-1]
            return [clause[:place], [*clause[:begin], *clause[behind:]]]
    return None


def _articled(clause: Clause) -> list[Clause] | None:
    """Articles side by side, where both things are asked for: what are the weight and the range of A."""
    for place in range(2, len(clause)):
        behind = joint_end(clause, place)
        if not behind or behind + 1 >= len(clause) or clause[behind].key not in ARTICLES:
            continue
        if clause[behind - 1].text == ",":
            return None
        left, right = clause[:place], clause[behind:]
        if any(word.key in ("between", "zwischen") for word in left):
            return None
        starts = [at for at in range(1, place - 1) if left[at].key in ARTICLES]
        asks = any(word.key in QUESTION_WORDS for word in left)
        alike = [at for at in starts if left[at + 1].key == right[1].key]
        if not starts or not asks or any(word.key in PRONOUNS for word in left):
            return None
        begin = (alike or starts)[-1]
        whole = any(word.key in PREPOSITIONS for word in left[begin:])
        shares_verb = any(word.key in SUPPORTING for word in left[:begin])
        shares_verb = shares_verb and left[begin - 1].key in SUPPORTING | PREPOSITIONS  # else it stands before both
        verb = right[-1:] if shares_verb else []
        own = next((at for at, word in enumerate(right) if word.key in PREPOSITIONS), len(right))
        return [[*left, *([] if whole else right[own:] or verb)], [*left[:begin], *right]]
    return None


def _around_object(clause: Sequence[Word]) -> Around | None:
    """What stands before and behind the object, where the subject is a person: how do I clean … at home.

    English has the verb before the object, German behind it.
    """
    for at, (auxiliary, subject) in enumerate(pairwise(clause[:6])):
        if auxiliary.key not in SUPPORTING or subject.key not in PERSONS:
            continue
        in_english = auxiliary.key in SUPPORTING_IN_ENGLISH
        first, last = at + 2 + in_english, len(clause) - (not in_english)
        begin = next((place for place in range(first, last) if clause[place].key in ARTICLES), first)
        end = next((place for place in range(begin, last) if clause[place].key in PREPOSITIONS), last)
        if 1 <= end - begin <= MAX_ITEM_WORDS and any(word.key in QUESTION_WORDS for word in clause[:at]):
            return clause[:begin], clause[end:]
    return None


def _around_subject(clause: Sequence[Word]) -> Around:
    """What stands before and behind the subject: the words up to the auxiliary, and the verb at the end.

    Both are empty where the question has no auxiliary, or where its subject seems to have an object.
    """
    for at, word in enumerate(clause[:6]):
        if word.key in AUXILIARIES and (at or word.key not in QUESTION_WORDS):  # "was" is both, in two languages
            verbs = word.key in SUPPORTING or (clause[0].key in _ADVERBS and clause[-1].key.endswith(_PARTICIPLES))
            verb = clause[-1:] if verbs and len(clause) > at + 2 else []
            asks = any(one.key in QUESTION_WORDS for one in clause[: at + 1])
            clear = asks and not (verb and _has_object(clause[at + 1 :]))
            return (clause[: at + 1], verb) if clear else ((), ())
    return (), ()


def _has_object(words: Sequence[Word]) -> bool:
    """Whether a subject, a verb and an object follow each other: the pump clean the tank."""
    objects = [second for first, second in pairwise(words) if first.key not in PREPOSITIONS]
    return words[0].key in PERSONS or any(word.key in ARTICLES for word in objects)


def _item_start(clause: Clause, end: int) -> int:
    """Where the thing begins that ends here: behind the last preposition, auxiliary, article or colon."""
    for at in range(end - 1, -1, -1):
        word = clause[at]
        if word.key in ARTICLES:
            return at
        if word.key in PREPOSITIONS | AUXILIARIES | QUESTION_WORDS | REQUESTS or word.text.endswith(":"):
            return at + 1
    return 0


def _item_end(clause: Clause, begin: int) -> int:
    """Where the thing ends that begins here: before a preposition or behind a colon."""
    for at in range(begin, len(clause)):
        if clause[at].text.endswith(":"):
            return at + 1
        if at > begin and (clause[at].key in PREPOSITIONS or clause[at].text == ","):
            return at
    return len(clause)


_RULES: Sequence[Callable[[Clause], list[Clause] | None]] = (_compared, _listed, _added, _parallel, _articled)
