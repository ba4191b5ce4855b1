"""One clause that asks the same of several things is one clause for each."""

import pytest

from modulo.domain.answers.decomposition import decompose


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        # comparisons
        ("Aerie 3 vs Aerie 2: price", ["Aerie 3 price?", "Aerie 2: price?"]),
        ("Compare the warranty with the return period", ["the warranty?", "the return period?"]),
        (
            "Compare the mast and the probe: what does each cost?",
            ["the mast what does each cost?", "the probe: what does each cost?"],
        ),
        ("What is the difference between the mast and the Mast Pro?", ["What is the mast?", "What is the Mast Pro?"]),
        ("What is the difference between a and b in winter?", ["What is a in winter?", "What is b in winter?"]),
        ("Which costs more, the panel or the mast?", ["Which costs more the panel?", "Which costs more the mast?"]),
        ("Was ist der Unterschied zwischen dem Mast und der Sonde?", ["Was ist dem Mast?", "Was ist der Sonde?"]),
        # lists
        (
            "What are the prices of the mast, the probe and the base unit?",
            [
                "What are the prices of the mast?",
                "What are the prices of the probe?",
                "What are the prices of the base unit?",
            ],
        ),
        (
            "How long are server logs, backups and invoices kept?",
            ["How long are server logs kept?", "How long are backups kept?", "How long are invoices kept?"],
        ),
        # additions
        (
            "How long are server logs kept, and invoices?",
            ["How long are server logs kept?", "How long are invoices kept?"],
        ),
        ("What is a mast, and a probe?", ["What is a mast?", "What is a probe?"]),
        (
            "How do I set up the printer at home, and the scanner?",
            ["How do I set up the printer at home?", "How do I set up the scanner at home?"],
        ),
        ("Where can we find forms, and keys?", ["Where can we find forms?", "Where can we find keys?"]),
        (
            "Wie kann ich den Antrag im Portal stellen, und die Rechnung?",
            ["Wie kann ich den Antrag im Portal stellen?", "Wie kann ich die Rechnung im Portal stellen?"],
        ),
        # prepositions
        (
            "What is the price of the mast and of the probe?",
            ["What is the price of the mast?", "What is the price of the probe?"],
        ),
        (
            "How long is notice during the first months and after the sixth?",
            ["How long is notice during the first months?", "How long is notice after the sixth?"],
        ),
        # articles
        (
            "How much do the station and the panel cost?",
            ["How much do the station cost?", "How much do the panel cost?"],
        ),
        (
            "How does the pump clean the tank and the filter?",
            ["How does the pump clean the tank?", "How does the pump clean the filter?"],
        ),
        (
            "What are the weight and the range of the station?",
            ["What are the weight of the station?", "What are the range of the station?"],
        ),
        (
            "What is the price of the panel as well as the price of the heater?",
            ["What is the price of the panel?", "What is the price of the heater?"],
        ),
    ],
)  # fmt: skip
def test_it_is(question: str, parts: list[str]) -> None:
    assert [part.question for part in decompose(question)] == parts


@pytest.mark.parametrize(
    "question",
    [
        "Compare the results of last year's very long annual report on the weather and the new one",
        "Compare this and",
        "Which is best, that very long list of things to do today or the mast?",
        "Is it red, white and blue?",
        "What is, of all things, the mast?",
        "What happens when the very long list of things to do is done, the mast stands and we go?",
        "How long are logs kept, and must be?",
        "Logs are kept, and invoices",
        "How long are logs kept, and for invoices?",
        "What can I bring, and laptops?",
        "How does a pump clean the tank, and filters?",
        "We keep the mast and the probe",
        "Name a mast and of",
        "What is it and of the",
    ],
)
def test_what_is_not_clear_stays_whole(question: str) -> None:
    assert [part.question for part in decompose(question)] == [question]
