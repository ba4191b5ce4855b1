"""Suspicion: what in a passage speaks to a language model, or hides from its reader.

A flag is told and counted; it changes neither the order of passages nor an answer. What keeps a passage from being
obeyed is the prompt, which takes all of it for data. The rules are a list of known forms: a passage without a flag
is not thereby harmless.
"""

import re
from enum import StrEnum

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
"""Tags, zero-width characters and marks of direction: a reader does not see them, a model does."""
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]|[\u200b\u2060-\u2064\ufeff]{2}")
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass|ignoriere|vergiss|missachte)\s+(?:\w+\s+){0,4}?"
    r"(?:instruction|prompt|rule|passage|context|direction|guideline|anweisung|regel|vorgabe)",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"\byou are (?:now|no longer)\b|\bnew (?:instructions|rules|task)\b|\bsystem (?:prompt|message|override)\b"
    r"|\b(?:reveal|print|repeat|leak) (?:your|the) (?:system |hidden )?(?:prompt|instructions|rules|api key)"
    r"|\b(?:developer|admin|god|dan) mode\b|\bdu bist (?:jetzt|nun|ab sofort)\b|\bneue (?:anweisungen|regeln)\b"
    r"|\b(?:dear|attention|note to|hey),? (?:the )?(?:ai|assistant|language model|llm|chatbot)\b"
    r"|\b(?:answer|reply|respond|antworte) (?:only |nur )?(?:with|mit)\b",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?(?:passage|turn|system|assistant|instructions?|context)\b"
    r"|^[ \t#*]{0,6}(?:system|assistant|human|user|developer)[ \t*]{0,3}:|\bend of (?:passages?|documents?|context)\b",
    re.IGNORECASE | re.MULTILINE,
)


class Flag(StrEnum):
    """What is suspicious about a passage."""

    instruction = "instruction"
    template = "template"
    hidden_text = "hidden_text"


def flags_of(text: str, label: str = "") -> tuple[Flag, ...]:
    """The flags of a passage, by its text and its label: the names of file and headings."""
    both = f"{label}\n{text}"
    seen = visible(both)
    found = (
        (Flag.instruction, _ORDER.search(seen) or _ROLE.search(seen)),
        (Flag.template, _TEMPLATE.search(seen)),
        (Flag.hidden_text, _HIDDEN.search(both)),
    )
    return tuple(flag for flag, hit in found if hit)


def visible(text: str) -> str:
    """The text without what its reader does not see."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
