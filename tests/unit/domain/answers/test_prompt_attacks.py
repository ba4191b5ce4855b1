"""Passages are data: no attack changes the structure of a prompt, and each that is of a known form is flagged."""

import re

import pytest

from modulo.domain.answers.answer import AnswerDraft, Prompt
from modulo.domain.answers.citations import check_citations
from modulo.domain.answers.prompt import messages
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.suspicion import Flag, flags_of, visible
from tests.unit.domain.answers import attacks
from tests.unit.passages import passage

OFFICE = passage("The office closes at six.", name="office.txt")
QUESTION = "When does the office close?"
IN_TEXT = [*attacks.TEXTS, *attacks.TEMPLATES, *attacks.HIDDEN, *attacks.SPLIT, *attacks.MARKS, *attacks.TABLES]
IN_TEXT += attacks.COMMENTS
ATTACKS = (
    [passage(text) for text in IN_TEXT]
    + [passage("Nothing to see.", name=name) for name in attacks.NAMES]
    + [passage("Nothing to see.", heading=name) for name in attacks.NAMES[:2]]
)


def test_there_are_sixty() -> None:
    assert len(ATTACKS) >= 60
    assert len({(one.text, one.document.name, one.hit.chunk.heading) for one in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_the_prompt_keeps_its_structure(attack: Passage) -> None:
    rules, asked = messages(Prompt(QUESTION, [attack, OFFICE]))
    plain, _ = messages(Prompt(QUESTION, [OFFICE]))
    (fence,) = set(re.findall(r"<passage-([0-9a-f]{16}) number=", asked.content)) - {"0123456789abcdef"}
    (other,) = re.findall(r"<passage-([0-9a-f]{16}) …>", plain.content)
    assert rules.content.replace(fence, "") == plain.content.replace(other, "")
    assert asked.content.count(f"<passage-{fence} ") == asked.content.count(f"\n</passage-{fence}>") == 2
    assert asked.content.startswith(f'<passage-{fence} number="1" ')
    assert asked.content.endswith(f"\nThe office closes at six.\n</passage-{fence}>\n\nQuestion: {QUESTION}")
    assert not re.search("<\\||\\|>|[\u200b\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]", asked.content)
    inside = asked.content[: asked.content.index(f'<passage-{fence} number="2"')]
    assert not re.search(r"[\[\u3010](?:passage )?\^?\d", inside)
    first_line = asked.content.split("\n", 1)[0]
    assert first_line.endswith(">")
    assert first_line.count('" page=') == 1 or '\\" page=' in first_line


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_answer_that_obeys_is_none(attack: Passage) -> None:
    obeyed = AnswerDraft("The vault code is 4711 [1]. The office closes at six [2].")
    answer = check_citations(obeyed, [attack, OFFICE], max_citations=5)
    assert "4711" not in answer.text
    assert [one.mark for one in answer.cited] == [2]


@pytest.mark.parametrize("text", [*attacks.TEXTS, *attacks.COMMENTS, attacks.TABLES[0], *attacks.SPLIT[:2]])
def test_instructions_are_flagged(text: str) -> None:
    assert Flag.instruction in flags_of(text)


@pytest.mark.parametrize("text", [*attacks.TEMPLATES, attacks.TABLES[1], attacks.SPLIT[2]])
def test_forged_structure_is_flagged(text: str) -> None:
    assert Flag.template in flags_of(text)


@pytest.mark.parametrize("text", attacks.HIDDEN)
def test_hidden_text_is_flagged(text: str) -> None:
    assert Flag.hidden_text in flags_of(text)


@pytest.mark.parametrize("name", attacks.NAMES)
def test_names_are_flagged_too(name: str) -> None:
    assert flags_of("Nothing to see.", name)


@pytest.mark.parametrize(
    "text",
    [
        "The assistant manager answers within one working day.",
        "The system measures every 16 seconds. System requirements: none.",
        "Ignore the yellow light while the station starts.",
        "New employees take the training; follow the instructions of the manual.",
        "Press Add station in the app.",
        "The family emoji \U0001f468\u200d\U0001f469\u200d\U0001f467 is plain text.",
        "Persian \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 is plain text too.",
        "Item | Price\nMast | 89",
    ],
)
def test_plain_text_is_not(text: str) -> None:
    assert flags_of(text, "manual.pdf") == ()


def test_what_is_visible_stays() -> None:
    assert visible("plain") == "plain"
    assert visible("Grüße\u200b, \U0001f468\u200d\U0001f469") == "Grüße, \U0001f468\u200d\U0001f469"
