"""Follow-up questions are understood from the turns before them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.follow_up import Turn, recent, standalone

LOGS = Turn("How long are server logs kept?", "30 days [1].", "Server logs are kept for 30 days.")
MAST = Turn("What does the mast cost?", "89 EUR [1].")
OFFICER = Turn("Who is the Data Protection Officer?", "Noor Haddad [1].", "Owner: Noor Haddad.")


@pytest.mark.parametrize(
    ("turn", "question", "understood"),
    [
        (LOGS, "And invoices?", "How long are invoices kept?"),
        (LOGS, "What about backups?", "How long are backups kept?"),
        (LOGS, "How about for support messages?", "for support messages? (How long are server logs kept)"),
        (Turn("How much annual leave is there?", "28"), "And parental leave?", "How much parental leave is there?"),
        (Turn("How long is the notice period?", "2"), "And sick leave?", "How long is sick leave?"),
        (LOGS, "Why?", "Why? (How long are server logs kept)"),
        (LOGS, "And why?", "why? (How long are server logs kept)"),
        (MAST, "How much does it weigh?", "How much does the mast weigh?"),
        (MAST, "And how much does it weigh?", "how much does the mast weigh?"),
        (MAST, "What are its dimensions?", "What are the mast's dimensions?"),
        (MAST, "And what does that mean?", "what does that mean? (the mast)"),
        (
            OFFICER,
            "How can she be reached?",
            "How can she be reached? (the Data Protection Officer: Owner: Noor Haddad.)",
        ),
        (Turn("Can I split it?", "Yes."), "When does it end?", "When does Can I split it end?"),
        (Turn("What is a? What is the mast?", "89"), "How heavy is it?", "How heavy is the mast?"),
        (Turn("Was kostet der Mast?", "89 EUR"), "Und die Sonde?", "Was kostet die Sonde?"),
        (Turn("Was kostet der Mast?", "89 EUR"), "Wie schwer ist er?", "Wie schwer ist der Mast?"),
        (Turn("How do I run the tests?", "make test"), "And the benchmarks?", "How do I run the benchmarks?"),
        (Turn("How can we book a room?", ""), "What about the projector?", "How can we book the projector?"),
        (Turn("How do I log in?", ""), "And the admin?", "the admin? (How do I log in)"),
        (Turn("Wie kann man den Antrag stellen?", ""), "Und die Klage?", "Wie kann man die Klage stellen?"),
        (MAST, "How long is the notice period?", "How long is the notice period?"),
        (MAST, "And how long is the notice period?", "And how long is the notice period?"),
        (
            Turn("What does AB-12 cost in the list of 2031?", "9"),
            "And CD-7?",
            "What does CD-7 cost in the list of 2031?",
        ),
        (Turn("What did it cost in 2031?", "9"), "And 2032?", "What did it cost in 2032?"),
        (Turn("Is AB-12 older than AB-13?", "9"), "And CD-7?", "CD-7? (Is AB-12 older than AB-13)"),
        (MAST, "Who is the maker?", "Who is the maker? (the mast)"),
        (MAST, "Who is a maker?", "Who is a maker?"),
        (MAST, "What is the AB-12?", "What is the AB-12?"),
        (Turn("Wer prüft den Antrag?", "Ada"), "Wie lange dauert das?", "Wie lange dauert das? (den Antrag)"),
        (Turn("What does the plan not cover?", "Rust"), "How can it be extended?", "How can the plan be extended?"),
        (MAST, "and", "and"),
        (MAST, "?", "?"),
        (Turn("?", ""), "How heavy is it?", "How heavy is it?"),
    ],
)
def test_by_rules(turn: Turn, question: str, understood: str) -> None:
    assert standalone(question, [LOGS, turn]) == understood


def test_the_first_question_is_as_it_is() -> None:
    assert standalone("How heavy is it?", []) == "How heavy is it?"


def test_the_window_takes_the_last_turns_that_fit() -> None:
    turns = [LOGS, MAST, OFFICER]
    assert recent(turns, 1_000) == tuple(turns)
    assert recent(turns, 20) == (OFFICER,)
    assert recent(turns, 0) == ()


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_text_stays_a_question(before: str, question: str, evidence: str) -> None:
    assert standalone(question, [Turn(before, "", evidence)]) or not question
