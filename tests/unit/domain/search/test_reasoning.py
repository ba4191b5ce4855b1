"""The rounds of a plan, and the answer that steps make together."""

from uuid import UUID

import pytest

from modulo.domain.answers.answer import Answer, CitedPassage
from modulo.domain.answers.decomposition import Part
from modulo.domain.answers.outcome import NOT_FOUND, Outcome, wording
from modulo.domain.answers.reasoning_options import CotConfig, FormatType, ReasoningStrategy
from modulo.domain.documents.chunk import Chunk
from modulo.domain.files.file import DocumentInfo, FileRef
from modulo.domain.retrieval.passage import Hit, LiveDocument, Passage
from modulo.domain.search.reasoning import Plan, Step, combine, telling_unanswered

REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 1)
ONE, TWO, THREE = Part("a?"), Part("b?"), Part("c she?", "a", waits=True)


def passage(number: int, score: float = 0.5) -> Passage:
    document = LiveDocument(REF.file_id, 1, "a.txt", 9, DocumentInfo(), "")
    return Passage(Hit(REF, Chunk(number, f"Text {number}.", 1, 0, 7), score, "a.txt"), document)


def step(question: str, passages: list[Passage], text: str, *marks: int) -> Step:
    cited = tuple(CitedPassage(mark, passages[mark - 1], passages[mark - 1].text) for mark in marks)
    return Step(question, tuple(passages), Answer(text, cited), tokens=3, seconds=0.1, read=tuple(passages))


def plan(strategy: str, *parts: Part, **more: object) -> Plan:
    return Plan("q", parts, CotConfig.model_validate({"reasoning_strategy": strategy} | more))


def test_marks_count_the_passages_of_all_steps() -> None:
    one, two, three = passage(1), passage(2, 0.7), passage(3, 0.9)
    steps = [step("a?", [one, two], "A [2]. See [99].", 2), step("b?", [three, two], "B [1][2].", 1, 2)]
    passages, answer = combine(steps)
    assert passages == (one, two, three)
    assert answer.text == "A [2]. See [99].\nB [3][2]."
    assert [(cited.mark, cited.passage) for cited in answer.cited] == [(2, two), (3, three)]
    assert [found.confidence for found in steps] == [0.7, 0.9]


def test_marks_count_what_was_read_beside_the_passages_too() -> None:
    first, second, beside = passage(1), passage(2), passage(3)
    cited = CitedPassage(2, beside, beside.text)
    one = Step("a?", (first,), Answer("A [2].", (cited,)), 0, 0.0, read=(first, beside))
    passages, answer = combine([one, step("b?", [second], "B [1].", 1)])
    assert passages == (first, second)
    assert answer.text == "A [2].\nB [3]."
    assert [(found.mark, found.passage) for found in answer.cited] == [(2, beside), (3, second)]


def test_a_part_without_an_answer_adds_none() -> None:
    found, missing = step("a?", [passage(1)], "A [1].", 1), step("b?", [passage(2)], NOT_FOUND)
    assert combine([found, missing])[1].text == "A [1]."
    assert combine([missing, missing])[1] == Answer(NOT_FOUND, ())
    assert missing.confidence is None
    assert missing.evidence == ""


def test_a_step_below_the_threshold_does_not_count() -> None:
    steps = [step("a?", [passage(1, 0.9)], "A [1].", 1), step("b?", [passage(2, 0.4)], "B [1].", 1)]
    assert combine(steps, threshold=0.6)[1].text == "A [1]."
    assert combine(steps[1:], threshold=0.6)[1] == Answer(NOT_FOUND, ())


@pytest.mark.parametrize(
    ("form", "text", "marks"),
    [
        (FormatType.standard, "A [1]. More [2].\nB [3].", [1, 2, 3]),
        (FormatType.cot_reasoning, f"1. a?\nA [1]. More [2].\n2. b?\nB [3].\n3. c?\n{NOT_FOUND}", [1, 2, 3]),
        (FormatType.comparative, f"a? A [1]. More [2].\nb? B [3].\nc? {NOT_FOUND}", [1, 2, 3]),
        (FormatType.summary, "A [1].\nB [3].", [1, 3]),
    ],
)
def test_the_form_is_what_was_asked_for(form: FormatType, text: str, marks: list[int]) -> None:
    steps = [
        step("a?", [passage(1, 0.9), passage(2, 0.8)], "A [1]. More [2].", 1, 2),
        step("b?", [passage(3, 0.7)], "B [1].", 1),
        step("c?", [], NOT_FOUND),
    ]
    answer = combine(steps, form=form)[1]
    assert (answer.text, [cited.mark for cited in answer.cited]) == (text, marks)


def test_what_has_no_answer_is_told_as_what_it_is_in_the_language_of_the_question() -> None:
    unverified = Step("b?", (), Answer(NOT_FOUND, (), unverified=True), 0, 0.0)
    steps = [step("a?", [passage(1)], "A [1].", 1), unverified, step("c?", [], NOT_FOUND)]
    for form in (FormatType.comparative, FormatType.cot_reasoning):
        text = combine(steps, form=form, language="de")[1].text
        assert text.count(wording(Outcome.unverified, "de")) == text.count(wording(Outcome.not_found, "de")) == 1


def test_a_summary_takes_a_line_without_a_mark_as_it_is() -> None:
    answered = step("a?", [passage(1)], "“A long” [1]", 1)
    assert combine([answered], form=FormatType.summary)[1].text == "“A long” [1]"
    unmarked = step("a?", [passage(1)], "A.\nB.", 1)
    assert combine([unmarked], form=FormatType.summary)[1].text == "A."


def test_one_step_is_left_as_it_is() -> None:
    low, high = passage(1, 0.2), passage(2, 0.9)
    answered = step("a?", [low, high], "A [1].", 1)
    assert combine([answered]) == (answered.passages, answered.answer)


def test_evidence_is_short() -> None:
    long = passage(1)
    cited = CitedPassage(1, long, "word " * 100)
    evidence = Step("a?", (long,), Answer("A [1].", (cited,)), 0, 0.0).evidence
    assert len(evidence) <= 160
    assert evidence.endswith("word")


class TestUnanswered:
    """Parts without an answer, told at the end of the others' answers."""

    FOUND = step("a?", [passage(1, 0.9)], "A [1].", 1)
    MISSING = step("b?", [passage(2)], NOT_FOUND)

    def told(self, made: Plan, *steps: Step, threshold: float = 0.0, language: str | None = None) -> str:
        answer = combine(steps, threshold=threshold)[1]
        return telling_unanswered(answer, made, steps, threshold=threshold, language=language).text

    def test_each_is_told_with_what_became_of_it(self) -> None:
        parts = (Part("wie lang ist a?"), Part("wie hoch ist b?"), Part("und c?"))
        unverified = Step("c?", (), Answer(NOT_FOUND, (), unverified=True), 0, 0.0)
        text = self.told(plan("decomposition", *parts), self.MISSING, self.FOUND, unverified, language="de")
        assert text == (
            f"A [2].\nWie lang ist a? {wording(Outcome.not_found, 'de')}\nUnd c? {wording(Outcome.unverified, 'de')}"
        )

    def test_one_of_too_little_confidence_has_no_answer(self) -> None:
        low = step("b?", [passage(2, 0.4)], "B [1].", 1)
        assert self.told(plan("decomposition", ONE, TWO), self.FOUND, low, threshold=0.6) == f"A [1].\nB? {NOT_FOUND}"

    def test_nothing_is_told_where_nothing_or_all_was_found(self) -> None:
        made = plan("decomposition", ONE, TWO)
        assert self.told(made, self.FOUND, self.FOUND) == "A [1]."
        assert self.told(made, self.MISSING, self.MISSING) == NOT_FOUND

    def test_what_was_not_asked_may_be_answered(self) -> None:
        left = Step("b?", (), Answer(NOT_FOUND, ()), 0, 0.0, asked=False)
        assert self.told(plan("decomposition", ONE, TWO), self.FOUND, left) == "A [1]."

    def test_a_part_that_waited_is_told_without_what_it_waited_for(self) -> None:
        made = plan("decomposition", THREE, ONE)
        [waiting] = made.next_round([self.FOUND])
        assert waiting.question != THREE.question
        text = self.told(made, self.FOUND, step(waiting.question, [], NOT_FOUND))
        assert text == f"A [1].\nC she? (a) {NOT_FOUND}"

    def test_iteratively_parts_are_in_their_own_order(self) -> None:
        assert self.told(plan("iterative", THREE, ONE), self.FOUND, self.MISSING) == f"A [1].\nA? {NOT_FOUND}"

    def test_a_cause_that_is_not_told_is_no_part_of_the_question(self) -> None:
        assert self.told(plan("causal", ONE), self.FOUND, self.MISSING) == "A [1]."

    def test_it_cites_nothing_and_is_short(self) -> None:
        part = Part(f"what does [1] mean for {'x ' * 200}?")
        text = self.told(plan("decomposition", ONE, part), self.FOUND, self.MISSING)
        assert text.startswith("A [1].\nWhat does (1) mean for x x")
        assert text.endswith(f"x \N{HORIZONTAL ELLIPSIS} {NOT_FOUND}")
        assert len(text) < 300


def test_a_number_in_brackets_of_a_question_is_no_mark_of_its_answer() -> None:
    steps = [step("what is [2]?", [passage(1)], "A [1].", 1), step("and [1]?", [], NOT_FOUND)]
    assert combine(steps, form=FormatType.comparative)[1].text == f"what is (2)? A [1].\nand (1)? {NOT_FOUND}"


class TestPlan:
    def test_what_waits_is_answered_once_the_others_are(self) -> None:
        made = plan("decomposition", ONE, THREE, TWO)
        assert made.first_round() == (ONE, TWO)
        first = [step("a?", [passage(1)], "A [1].", 1), step("b?", [], NOT_FOUND)]
        later = made.next_round(first)
        assert [part.question for part in later] == ["c she? (a: Text 1.)"]
        last = step("c", [], NOT_FOUND)
        assert made.next_round([*first, last]) == ()

    def test_without_an_answer_to_know_it_is_asked_as_it_is(self) -> None:
        made = plan("decomposition", ONE, THREE)
        assert made.next_round([step("a?", [], NOT_FOUND)]) == (THREE,)

    def test_without_context_all_are_answered_at_once(self) -> None:
        made = plan("decomposition", ONE, THREE, context_preservation=False)
        assert made.first_round() == (ONE, THREE)
        steps = [step("a?", [], NOT_FOUND), step("c?", [], NOT_FOUND)]
        assert made.next_round(steps[:1]) == ()

    def test_iteratively_each_part_knows_the_answer_before(self) -> None:
        made = plan("iterative", ONE, TWO)
        assert made.first_round() == (ONE,)
        first = step("a?", [passage(1)], "A [1].", 1)
        assert [part.question for part in made.next_round([first])] == ["b? (Text 1.)"]
        assert made.next_round([first, first]) == ()
        apart = plan("iterative", ONE, TWO, context_preservation=False)
        assert apart.next_round([first]) == (TWO,)

    def test_causes_are_followed_as_long_as_they_are_new(self) -> None:
        made = plan("causal", ONE)
        first, second = step("a?", [passage(1)], "A [1].", 1), step("b?", [passage(2)], "B [1].", 1)
        assert [part.question for part in made.next_round([first])] == ["What caused this? (Text 1.)"]
        assert len(made.next_round([first, second])) == 1
        assert made.next_round([first, first]) == ()
        assert made.next_round([step("a?", [], NOT_FOUND)]) == ()
        assert made.next_round([first, second, step("c?", [passage(3)], "C [1].", 1)]) == ()
        apart = plan("causal", ONE, context_preservation=False)
        assert [part.question for part in apart.next_round([first])] == ["What caused this? (q)"]

    def test_a_hierarchy_ends_with_the_whole_question(self) -> None:
        assert plan(ReasoningStrategy.hierarchical, ONE, TWO).concludes
        assert not plan(ReasoningStrategy.hierarchical, ONE).concludes
        assert not plan(ReasoningStrategy.decomposition, ONE, TWO).concludes


def test_a_line_that_an_earlier_part_quoted_is_not_told_again() -> None:
    one, two = passage(1), passage(2)
    steps = [step("a?", [one], "Row [1].", 1), step("b?", [one, two], "Row [1].\nMore [2].", 1, 2)]
    assert combine(steps)[1].text == "Row [1].\nMore [2]."
    assert combine([steps[0], step("b?", [one], "Row [1].", 1)])[1].text == "Row [1]."
    told = [step("a?", [one], "One:\n\nA [1].", 1), step("b?", [two], "One:\n\nA [1].", 1)]
    assert combine(told)[1].text == "One:\n\nA [1].\nOne:\n\nA [2]."
