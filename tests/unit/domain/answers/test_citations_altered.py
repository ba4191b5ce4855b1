"""What is altered in a passage's sentence does not pass: words of quotations, numbers, names and denials."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.answers.answer import AnswerDraft
from modulo.domain.answers.citations import check_citations, supported_spans
from modulo.domain.answers.entailment import Evidence, Excerpt
from modulo.domain.answers.outcome import Outcome
from tests.unit.passages import passage

SENTENCES = (
    "The warranty of the pump covers all parts for four years.",
    "Employees may work from home on three days of the week.",
    "Marit Solheim approved the budget of Tarnby on 20 March 2026.",
    "The alarm does not fire before the certificate expires.",
    "Refunds are never paid in cash to customers abroad.",
    "The station sold 18,400 units in Norway last year.",
)
PASSAGE = passage(" ".join(SENTENCES))


def outcome(text: str) -> Outcome:
    return check_citations(AnswerDraft(f"{text} [1]"), [PASSAGE], max_citations=5).outcome


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_of_the_passage_passes_quoted_or_not(sentence: str) -> None:
    assert outcome(sentence) is outcome(f"\u201c{sentence}\u201d") is Outcome.answered


@given(st.sampled_from(SENTENCES), st.data())
def test_a_quotation_with_another_word_does_not_pass(sentence: str, data: st.DataObject) -> None:
    words = sentence.split()
    at = data.draw(st.integers(0, len(words) - 1))
    words[at] = data.draw(st.sampled_from(["zebra", "not", "5", "Oslo"]))
    if " ".join(words) != sentence:
        assert outcome(f"\u201c{' '.join(words)}\u201d") is Outcome.unverified


@given(st.sampled_from(SENTENCES), st.data())
def test_a_quotation_without_a_word_within_it_does_not_pass(sentence: str, data: st.DataObject) -> None:
    words = sentence.split()
    del words[data.draw(st.integers(1, len(words) - 2))]
    assert outcome(f"\u201c{' '.join(words)}\u201d") is Outcome.unverified


@pytest.mark.parametrize(
    "altered",
    [
        "The warranty of the pump does not cover all parts for four years.",
        "The warranty of the pump covers all parts for 40 years.",
        "Employees may not work from home on three days of the week.",
        "Marit Solheim never approved the budget of Tarnby on 20 March 2026.",
        "Marit Solheim approved the budget of Oslo on 20 March 2026.",
        "Marit Solheim approved the budget of Tarnby on 21 March 2026.",
        "The alarm does fire before the certificate expires.",
        "Refunds are paid in cash to customers abroad.",
        "The station sold 18,500 units in Norway last year.",
        "The station sold no units in Norway last year.",
    ],
)
def test_a_statement_with_another_number_name_or_denial_does_not_pass(altered: str) -> None:
    assert outcome(altered) is Outcome.unverified


def test_excerpts_tell_their_place_in_the_page() -> None:
    text = "First line of the\n page.\n\nThe  pump weighs 12 kg."
    [cited] = check_citations(AnswerDraft("The pump weighs 12 kg [1]."), [passage(text)], max_citations=5).cited
    assert " ".join(text[cited.start : cited.end].split()) == cited.excerpt == "The pump weighs 12 kg."


def test_a_long_excerpt_is_cut_and_ends_where_it_is_cut() -> None:
    row = "pump | " + " | ".join(f"value {n}" for n in range(200))
    [cited] = check_citations(
        AnswerDraft("The pump has value 1 [1]."), [passage(f"name | a\n{row}")], max_citations=5
    ).cited
    assert len(cited.excerpt) <= 500
    assert f"name | a\n{row}"[cited.start : cited.end] == cited.excerpt


def test_an_introduction_stays_with_what_it_introduces() -> None:
    draft = "In short:\nThe warranty of the pump covers all parts for four years [1]."
    assert check_citations(AnswerDraft(draft), [PASSAGE], max_citations=5).text == draft


def test_a_passage_without_a_sentence_has_an_empty_excerpt() -> None:
    assert Evidence(passage("  ")).excerpt("anything") == Excerpt("", 0, 0)


def test_the_spans_that_a_mark_closes_are_told() -> None:
    text = "It begins. \u201cIt is long. It is old.\u201d [1] It rains [2][1]. It ends."
    spans = {mark: [text[slice(*span)] for span in found] for mark, found in supported_spans(text).items()}
    assert spans == {1: ["\u201cIt is long. It is old.\u201d", "It rains"], 2: ["It rains"]}
