"""Extractive answers: what is read, and what is quoted of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from modulo.adapters.models.extractive_generator import MAX_EXTRACTS, MAX_SCORED, ExtractiveGenerator
from modulo.domain.answers.answer import Prompt
from modulo.domain.answers.answer_options import AnswerOptions
from modulo.domain.answers.passage_floor import MEASURED
from modulo.domain.retrieval.relevance import probability
from modulo.domain.text.tokens import estimate
from tests.unit.passages import passage


class Scripted:
    """A reranker whose scores a test chooses by the text; it keeps what it read."""

    name = "scripted"

    def __init__(self, scores: dict[str, float] | None = None, otherwise: float = 0.5) -> None:
        self.scores, self.otherwise, self.read = scores or {}, otherwise, list[str]()

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        self.read += texts
        return [next((score for part, score in self.scores.items() if part in text), self.otherwise) for text in texts]

    def ping(self) -> None:
        """Nothing to check."""


def quoted(reranker: Scripted, question: str, *passages: str, reranked: float | None = 0.9) -> str:
    found = [passage(text, name=f"p{n}.txt", reranked=reranked) for n, text in enumerate(passages)]
    return ExtractiveGenerator(reranker).generate(Prompt(question, found)).text


def test_few_extracts_are_read_and_fewer_quoted() -> None:
    reranker = Scripted()
    text = quoted(reranker, "What is rain?", " ".join(f"Rain of kind {n} falls." for n in range(30)))
    assert len(reranker.read) == MAX_SCORED
    assert len(text.splitlines()) == MAX_EXTRACTS


def test_a_passage_of_one_sentence_is_not_read_again() -> None:
    reranker = Scripted()
    assert quoted(reranker, "What falls?", "Rain falls.") == "\u201cRain falls.\u201d [1]"
    assert reranker.read == []
    assert quoted(reranker, "What falls?", "Rain falls.", reranked=None) == "\u201cRain falls.\u201d [1]"
    assert reranker.read == ["Rain falls."]


@pytest.mark.parametrize("question", ["?", "...", "-", "\u200b", "\u2060\ufeff", "\u0301", "\U000e0049", "\u2122 %"])
def test_nothing_is_quoted_where_the_question_holds_no_word(question: str) -> None:
    reranker = Scripted()
    assert quoted(reranker, question, "Rain falls.", reranked=0.99) == ""
    assert reranker.read == []


def test_passages_below_the_floor_are_not_read() -> None:
    reranker = Scripted()
    assert quoted(reranker, "What falls?", "Rain falls. Snow falls.", reranked=0.1) == ""
    assert reranker.read == []


def test_a_row_that_is_about_it_is_quoted_from_a_passage_with_a_low_score() -> None:
    table = "Article | Price\nBase unit | 99\nSoil probe | 47"
    text = quoted(Scripted(), "What does the base unit cost?", table, reranked=0.1)
    assert text == "\u201cArticle | Price \u2026 Base unit | 99\u201d [1]"


def test_the_sentence_that_states_the_cause_comes_first() -> None:
    page = "The renewal failed in May. The renewal failed because a token was revoked."
    assert quoted(Scripted(), "Why did the renewal fail?", page).startswith("\u201cThe renewal failed because")
    assert quoted(Scripted(), "When did the renewal fail?", page).startswith("\u201cThe renewal failed in May.")


def test_what_another_extract_says_is_not_quoted_again() -> None:
    text = quoted(Scripted({"You need": 0.9}), "What do you need?", "You need:\n- a form for you to need\n- a photo")
    assert text.splitlines()[0] == "\u201cYou need: - a form for you to need - a photo\u201d [1]"
    assert text.count("a photo") == 1


def test_a_row_of_the_document_that_both_stages_prefer_comes_first() -> None:
    table = "| 2019 | 2018\nNet income | {} | 7"
    right, wrong = (passage(table.format(sum_), name=f"{sum_}.md", reranked=0.9) for sum_ in (41, 99))
    prompt = Prompt("What was the net income in 2019?", [replace(wrong, relevance=0.5), replace(right, relevance=0.99)])
    text = ExtractiveGenerator(Scripted()).generate(prompt).text
    assert text == "\u201c| 2019 | 2018 \u2026 Net income | 41 | 7\u201d [2]"


def test_what_little_behind_is_of_another_document_is_left_out() -> None:
    pages = ["Rain falls in May. It is long.", "Rain falls in June. It is short."]
    scores = Scripted({"in May": 0.9, "in June": 0.73}, otherwise=0.01)
    first, second = (passage(text, name=f"{n}.txt", reranked=0.9) for n, text in enumerate(pages))
    generator = ExtractiveGenerator(scores)
    assert "June" not in generator.generate(Prompt("When does rain fall?", [first, second])).text
    same = replace(second, document=first.document)
    assert "June" in generator.generate(Prompt("When does rain fall?", [first, same])).text


def test_a_row_of_another_document_has_to_be_nearer_to_the_best_than_a_sentence() -> None:
    row, sentence = (
        "| 2019 | 2018\nNet income | {} | 7\nSales | 1 | 2",
        "Net income grew to {} in 2019. It fell in 2018.",
    )
    for text, kept in ((row, False), (sentence, True)):
        prompt = Prompt(
            "What was the net income in 2019?",
            [passage(text.format(sum_), name=f"{sum_}.md", reranked=0.9) for sum_ in (41, 99)],
        )
        scores = Scripted({"41": 0.8, "99": 0.68}, otherwise=0.01)  # .63 apart in log odds
        assert ("99" in ExtractiveGenerator(scores).generate(prompt).text) is kept


def test_it_is_streamed_as_one_part_and_costs_nothing() -> None:
    generator, prompt = ExtractiveGenerator(Scripted()), Prompt("What falls?", [passage("Rain falls.")])
    assert [part.text for part in generator.stream(prompt)] == ["\u201cRain falls.\u201d [1]"]
    assert generator.reserve(prompt) == 0
    generator.ping()


def test_extracts_end_before_the_bound_of_tokens_that_is_asked_for() -> None:
    passages = [passage("Rain falls. Snow falls. Hail falls.", reranked=0.9)]
    whole = ExtractiveGenerator(Scripted()).generate(Prompt("What falls?", passages))
    lines = whole.text.splitlines()
    assert (len(lines), whole.cut_short) == (3, False)
    for kept in range(4):
        bound = sum(map(estimate, lines[:kept]))
        prompt = Prompt("What falls?", passages, options=AnswerOptions(max_tokens=bound))
        [part] = ExtractiveGenerator(Scripted()).stream(prompt)
        assert (part.text.splitlines(), part.cut_short) == (lines[:kept], kept < 3)


STEPS = "Repair\n\n1. Stop the pump.\n2. Open the pump.\n3. Clean the filter.\n\nThe pump is hot."


def test_several_items_of_a_list_make_way_for_the_list() -> None:
    whole = "Repair: \u201c1. Stop the pump. 2. Open the pump. 3. Clean the filter.\u201d [1]"
    assert (
        quoted(Scripted({"1. Stop the pump. 2.": 0.01, "hot": 0.01}, 0.9), "How is the pump repaired?", STEPS) == whole
    )
    assert quoted(Scripted({"hot": 0.01}, 0.9), "How is the pump repaired?", STEPS) == whole


def test_a_single_item_stays_alone() -> None:
    reranker = Scripted({"1. Stop the pump. 2.": 0.8, "3. Clean": 0.9}, 0.01)
    assert quoted(reranker, "Clean the filter?", STEPS) == "Repair: \u201c3. Clean the filter.\u201d [1]"


SECTIONS = "Sick leave\n\nA certificate is due on the fourth day.\n\nTraining\n\nThe firm pays for courses."


def asked_of(reranker: Scripted, question: str, text: str, *, odds: float, name: str = "p1.txt") -> str:
    found = passage(text, name=name, reranked=probability(odds))
    return ExtractiveGenerator(reranker).generate(Prompt(question, [found])).text


def test_a_part_may_answer_by_itself_where_its_passage_has_a_low_score() -> None:
    question = "When is a certificate due?"
    told = "Sick leave: \u201cA certificate is due on the fourth day.\u201d [1]"
    assert asked_of(Scripted({"certificate": 0.99}, 0.01), question, SECTIONS, odds=-3.0) == told
    assert asked_of(Scripted({"certificate": 0.3}, 0.01), question, SECTIONS, odds=-3.0) == ""
    one_part = "A certificate is due on the fourth day. The firm pays for courses."
    assert asked_of(Scripted({"certificate": 0.99}, 0.01), question, one_part, odds=-3.0) == ""


def test_no_part_answers_by_itself_below_a_label_that_repeats_the_question() -> None:
    reranker = Scripted({"certificate": 0.99}, 0.01)
    reranker.name = next(iter(MEASURED))
    assert asked_of(reranker, "When is a certificate due?", SECTIONS, odds=-3.0)
    assert asked_of(reranker, "When is a certificate due?", SECTIONS, odds=-3.0, name="certificate.txt") == ""


def test_what_holds_the_code_needs_no_more_below_a_label_that_repeats_the_question() -> None:
    reranker = Scripted(otherwise=0.6)
    reranker.name = next(iter(MEASURED))
    text = "The label printer works again (WMS-3312). It was slow (WMS-3313)."
    told = asked_of(reranker, "What is WMS-3312 about?", text, odds=0.5, name="wms.txt")
    assert told == "\u201cThe label printer works again (WMS-3312).\u201d [1]"
    assert asked_of(reranker, "What is the WMS label?", text, odds=0.5, name="wms.txt") == ""


VEHICLES = (
    "Plate | Model | State\nBS 1 | Vela | in repair\nBS 2 | Orca | in use\nBS 3 | Vela | in repair\nBS 4 | Lynx | sold"
)


def test_all_rows_are_quoted_that_the_question_selects_alike() -> None:
    both = "\u201cPlate | Model | State \u2026 BS 1 | Vela | in repair \u2026 BS 3 | Vela | in repair\u201d [1]"
    assert quoted(Scripted(), "Which cars are in repair?", VEHICLES) == both
    assert quoted(Scripted(), "Which Vela is in repair?", VEHICLES) == both
    many = "\n".join(f"BS {n} | Orca | in repair" for n in range(5, 5 + MAX_SCORED))
    assert quoted(Scripted(), "Which cars are in repair?", f"{VEHICLES}\n{many}").count("in repair") == 2 + MAX_SCORED


def test_a_row_that_the_question_names_stands_alone() -> None:
    text = quoted(Scripted({"BS 3": 0.9}, 0.1), "Is BS 3 in repair?", VEHICLES)
    assert text == "\u201cPlate | Model | State \u2026 BS 3 | Vela | in repair\u201d [1]"


def test_rows_that_the_question_selects_stand_alone_where_one_of_them_is_far_from_the_answer() -> None:
    text = quoted(Scripted({"BS 1": 0.001}, 0.9), "Which cars are in repair?", VEHICLES)
    assert "BS 3" in text
    assert "BS 1" not in text


def test_rows_that_the_question_selects_may_answer_where_the_label_repeats_it() -> None:
    reranker = Scripted()
    reranker.name = next(iter(MEASURED))
    rows = "BS 1 | Vela | in repair"
    assert rows in asked_of(reranker, "Which vehicles are in repair?", VEHICLES, odds=0.5, name="vehicles.csv")
    assert rows in asked_of(reranker, "Which plates are in repair?", VEHICLES, odds=-2.0)  # all words stand there
    assert asked_of(reranker, "Which cars are in repair?", VEHICLES, odds=-2.0) == ""


def test_below_its_document_s_name_a_further_extract_has_to_be_nearer() -> None:
    text = "Term\n\nIt runs for three years.\n\nNotice\n\nIt is six months."
    scores = {"six months": 0.9, "three years": 0.6}
    found = passage(text, name="hill-lease.md", reranked=0.99)

    def lines(question: str) -> int:
        return len(ExtractiveGenerator(Scripted(scores)).generate(Prompt(question, [found])).text.splitlines())

    assert lines("What is the notice of the hill lease?") == 1
    assert lines("What is the notice?") == 2


def test_a_heading_is_told_once_for_the_extracts_below_it() -> None:
    found = passage("Rain falls in May. Snow falls in June.", heading="Weather", reranked=0.9)
    text = ExtractiveGenerator(Scripted()).generate(Prompt("What falls?", [found])).text
    assert sorted(text.splitlines()) == [
        "Weather: \u201cRain falls in May.\u201d [1]",
        "\u201cSnow falls in June.\u201d [1]",
    ]


def test_a_heading_is_told_again_behind_another_one() -> None:
    found = passage("# Warm\n\nRain falls in May. Hail falls.\n\n# Cold\n\nSnow falls in June.", reranked=0.9)
    scores = Scripted({"Rain": 0.9, "Snow": 0.8, "Hail": 0.7})
    text = ExtractiveGenerator(scores).generate(Prompt("What falls?", [found])).text
    assert [line[:3] for line in text.splitlines()] == ["War", "Col", "War"]


def test_where_a_cause_is_asked_for_what_tells_none_is_no_answer() -> None:
    assert (
        quoted(Scripted(), "Why does the contract run?", "The contract runs for 24 months. The contract is new.") == ""
    )
    assert quoted(Scripted(), "Why is the door shut?", "The door is shut for cleaning. The door is red.") != ""


def test_the_sentence_that_tells_a_figure_comes_first_where_one_is_asked_for() -> None:
    page = "The pump is planned. The pump runs on Sundays."
    assert quoted(Scripted(), "When is the pump planned?", page).startswith("\u201cThe pump runs on Sundays.")
    assert quoted(Scripted(), "What is the pump like?", page).startswith("\u201cThe pump is planned.")


def test_a_poor_extract_without_a_word_of_the_question_is_no_answer() -> None:
    page = "Rain falls. Snow melts."
    assert quoted(Scripted(otherwise=0.4), "What is the penalty?", page) == ""
    assert quoted(Scripted(otherwise=0.6), "What is the penalty?", page) != ""
    assert quoted(Scripted(otherwise=0.4), "What does rain do?", page) != ""
    assert quoted(Scripted(otherwise=0.4), "What is it?", page) != ""


def test_decided_rows_need_no_reranker() -> None:
    reranker = Scripted()
    table = passage("Course | Places\nYoga | 14\nJudo | 20", heading="Courses", reranked=0.01)
    answer = ExtractiveGenerator(reranker).generate(Prompt("Which course has the most places?", [table])).text
    assert answer == "Courses: \u201cCourse | Places \u2026 Judo | 20\u201d [1]"
    assert reranker.read == []


def test_a_word_of_a_heading_is_not_misspelt() -> None:
    table = passage("Item | Sum\nPower | 20, flat\nChair | 90", heading="Flats", reranked=0.01)
    assert "Power" in ExtractiveGenerator(Scripted()).generate(Prompt("What are the flats?", [table])).text


def test_a_limit_that_is_told_in_other_words_is_found() -> None:
    page = "Humidity must not exceed 60 percent.\n\nTea is grown in the hills."
    reranker = Scripted({"exceed": 0.4}, otherwise=0.01)
    assert quoted(reranker, "What is the maximum humidity?", page, reranked=0.02).startswith("\u201cHumidity must not")
    assert quoted(reranker, "What is the usual humidity?", page, reranked=0.02) == ""


def test_a_row_tells_a_limit_by_its_name_alone() -> None:
    table = "Tank | Load\nNorth | up to 80 kg\nSouth | up to 20 kg"
    reranker = Scripted()
    assert "North" in quoted(reranker, "What is the maximum load of the north tank?", table)
    assert not any("South" in line for line in reranker.read[:1])


def test_who_leads_is_answered_below_a_label_that_repeats_the_question() -> None:
    page = "Der Chor probt montags im Saal. Die Leitung hat Frau Ott. Herr Abel kocht Tee."
    found = passage(page, name="chor.txt", reranked=probability(3.0))
    reranker = Scripted()
    reranker.name = next(iter(MEASURED))
    text = ExtractiveGenerator(reranker).generate(Prompt("Wer leitet den Chor?", [found])).text
    assert text == "\u201cDie Leitung hat Frau Ott.\u201d [1]"
    assert ExtractiveGenerator(reranker).generate(Prompt("Wer besitzt den Chor?", [found])).text == ""
