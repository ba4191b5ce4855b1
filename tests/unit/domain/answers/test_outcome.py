import pytest

from modulo.domain.answers.answer import Answer, AnswerDraft
from modulo.domain.answers.citations import check_citations
from modulo.domain.answers.outcome import NOT_FOUND, UNVERIFIED, Outcome, wording
from tests.unit.passages import passage

PASSAGES = [passage("The Rhine is 1,233 km long.")]


@pytest.mark.parametrize(
    ("draft", "outcome"),
    [
        ("The Rhine is 1,233 km long [1].", Outcome.answered),
        ("The Rhine is 2,000 km long [1].", Outcome.unverified),
        ("The Rhine is long.", Outcome.unverified),
        ("", Outcome.not_found),
        (" \n", Outcome.not_found),
    ],
)
def test_a_draft_without_support_is_told_from_none(draft: str, outcome: Outcome) -> None:
    assert check_citations(AnswerDraft(draft), PASSAGES, max_citations=5).outcome is outcome


def test_no_draft_is_not_found() -> None:
    assert Answer(NOT_FOUND, ()).outcome is Outcome.not_found


@pytest.mark.parametrize("outcome", [Outcome.not_found, Outcome.unverified])
def test_each_is_worded_in_the_language_of_the_question(outcome: Outcome) -> None:
    told = {wording(outcome, language) for language in ("en", "de", "fr", "es", "it", "pt", "nl", "zh")}
    assert len(told) == 8
    assert (
        wording(outcome, None) == wording(outcome, "th") == {"not_found": NOT_FOUND, "unverified": UNVERIFIED}[outcome]
    )
