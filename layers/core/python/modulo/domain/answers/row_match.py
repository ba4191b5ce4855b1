"""How exactly a row of a table is what a question asks for, by the words of its name: rerankers read tables badly."""

from collections.abc import Set


def share_of_name(name: Set[str], asked: Set[str]) -> float:
    """From 0 to 1: how many of the words that name the row are asked for."""
    return len(name & asked) / len(name) if name else 0.0


def row_match(name: Set[str], asked: Set[str]) -> float:
    """From 0 to 1: how much of the row's name is asked for, times how much of what is asked for is its name.

    The first alone finds a row "Cash" as exact as "Cash used in investing activities" where a question is about the
    latter. Numbers count in the name only: where they are asked for, they are demanded anyway.
    """
    words = frozenset(word for word in asked if not word.isdigit())
    return share_of_name(name, asked) * (len(words & name) / len(words)) if words else 0.0
