"""Lists of words, written as a text."""


def word_set(text: str) -> frozenset[str]:
    """The words between the spaces of the text."""
    return frozenset(text.split())
