"""Sentences that point back to the one before them: "It takes place on Sundays." says nothing alone."""

import re

_NUMBER = r"(?:\W*\d+(?:\.\d+)*[.)]?\s+)?"
_BEGINS = re.compile(
    rf"{_NUMBER}(?:it|its|they|their|them|this|these|those|that|he|his|she|her|such|then|afterwards|otherwise|instead|"
    r"however|both|after (?:that|this)|before (?:that|this)|until then|from then|by then|if (?:so|not)|"
    r"in (?:this|that|these|those|such) (?:case|cases|time|period)|"
    r"er|es|sie|ihre?[nmrs]?|seine?[nmrs]?|diese?[nmrs]?|dies|deren|dessen|solche[nmrs]?|danach|dann|dabei|daf\u00fcr|"
    r"dazu|davon|davor|dar\u00fcber|darin|hierf\u00fcr|hierzu|andernfalls|sonst|ansonsten|stattdessen|jedoch|beide|"
    r"in (?:diesem|diesen|dieser|solchen) (?:fall|f\u00e4llen|zeit))\b",
    re.IGNORECASE,
)
_HOLDS = re.compile(
    r"\b(?:(?:later|earlier|longer|sooner)(?!\s+than)(?=,)|by then|until then|after that|the latter|"
    r"of (?:them|these|those)|bis dahin|davon)\b",
    re.IGNORECASE,
)


def stands_alone(sentence: str) -> bool:
    """Whether the sentence names what it is about itself, even if it points back further on."""
    return not _BEGINS.match(sentence)


def points_back(sentence: str) -> bool:
    """Whether the sentence is about what the one before it names."""
    return bool(_BEGINS.match(sentence) or _HOLDS.search(sentence))
