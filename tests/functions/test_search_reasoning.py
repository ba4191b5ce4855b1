"""Questions with several parts, and answers in the form that was asked for."""

import pytest

from modulo.domain.answers.answer import AnswerDraft, TokenUsage
from modulo.domain.answers.outcome import NOT_FOUND, Outcome, wording
from tests.functions.conftest import ingest
from tests.functions.test_search import Model as Writer
from tests.functions.test_search import ask
from tests.functions.test_search_again import Model

SEA = "The depth of the Mariana Trench is 10,935 metres. Ada Lund measured it."
TEA = "Green tea is brewed at 80 degrees. Black tea is brewed at 95 degrees."
HALF = "What is the depth of the Mariana Trench in metres and who painted the chapel's ceiling?"
TWO = "What is the depth of the Mariana Trench in metres and at how many degrees is green tea brewed?"


@pytest.fixture
def collection(api):
    made = api.create_collection()
    for name, text in (("sea.txt", SEA), ("tea.txt", TEA)):
        ingest(api, made, api.upload(made, text, name))
    return made


def test_a_question_with_several_parts_is_taken_apart_without_being_asked(api, collection):
    found = ask(api, collection, question=TWO).json
    assert "10,935" in found["answer"]
    assert "80 degrees" in found["answer"]
    assert {"cot_output", "structured_answer"}.isdisjoint(found)
    assert found["metadata"]["parts"] == [
        "What is the depth of the Mariana Trench in metres?",
        "at how many degrees is green tea brewed?",
    ]
    for citation in found["citations"]:
        assert found["query_results"][citation["mark"] - 1]["chunk"]["chunk_id"] == citation["chunk_id"]


@pytest.mark.parametrize("off", [{"cot_disabled": True}, {"cot_config": {"enabled": False}}, {"retrieve_only": True}])
def test_it_is_left_whole_where_that_is_asked_for(api, collection, off):
    assert ask(api, collection, question=TWO, **off).json["metadata"]["parts"] == []


def test_passages_of_each_part_are_returned_where_parts_are_asked_for(api, collection):
    found = ask(api, collection, question=TWO, cot_enabled=True, retrieve_only=True).json
    assert len(found["metadata"]["parts"]) == 2


def test_one_more_round_knows_the_answer_before(api, collection):
    config = {"cot_config": {"evaluation_threshold": 0}}
    question = "Who measured the Mariana Trench and how deep is it where she measured?"
    found = ask(api, collection, question=question, **config).json
    first, second = found["cot_output"]["reasoning_steps"]
    known = first["source_attributions"][0]["excerpt"][:40]
    assert second["question"].startswith(f"how deep is it where she measured? (the Mariana Trench: {known}")
    apart = ask(api, collection, question=question, cot_config={"context_preservation": False}).json
    assert known not in apart["cot_output"]["reasoning_steps"][1]["question"]


@pytest.mark.parametrize(
    ("strategy", "steps"), [("decomposition", 2), ("iterative", 2), ("hierarchical", 3), ("causal", 2)]
)
def test_each_strategy_has_its_steps(api, collection, strategy, steps):
    config = {"reasoning_strategy": strategy, "evaluation_threshold": 0, "max_reasoning_depth": 2}
    asked = "What is the depth of the Mariana Trench?" if strategy == "causal" else TWO  # it asks for causes of answers
    thought = ask(api, collection, question=asked, cot_config=config).json["cot_output"]
    assert thought["reasoning_strategy"] == strategy
    assert len(thought["reasoning_steps"]) <= steps
    if strategy == "hierarchical":
        assert thought["reasoning_steps"][-1]["question"] == TWO


def test_the_depth_bounds_the_steps(api, collection):
    three = f"{TWO} At how many degrees is black tea brewed?"
    assert len(ask(api, collection, question=three).json["metadata"]["parts"]) == 3
    assert (
        len(ask(api, collection, question=three, cot_config={"max_reasoning_depth": 2}).json["metadata"]["parts"]) == 2
    )
    assert ask(api, collection, question=three, cot_config={"max_reasoning_depth": 1}).json["metadata"]["parts"] == []


def test_a_step_below_the_threshold_is_no_part_of_the_answer(api, collection):
    config = {"cot_config": {"evaluation_threshold": 1}}
    found = ask(api, collection, question=TWO, **config).json
    assert (found["answer"], found["metadata"]["found"]) == (NOT_FOUND, False)
    assert "below 1" in found["cot_output"]["reasoning_steps"][0]["reasoning_trace"]


class TestTokens:
    @pytest.fixture(autouse=True)
    def model(self, services):
        services.generator = made = Model(tokens=9)
        made.draft = AnswerDraft("The depth of the Mariana Trench is 10,935 metres [1].", TokenUsage(9, 0))
        return made

    def test_steps_beyond_the_budget_are_not_asked(self, api, collection, model):
        found = ask(api, collection, question=TWO, cot_config={"token_budget_multiplier": 1}).json
        assert len(model.prompts) == 1
        assert "2." in found["token_warning"]
        first, second = found["cot_output"]["reasoning_steps"]
        assert (first["token_usage"], second["token_usage"]) == (9, 0)
        assert "budget" in second["reasoning_trace"]

    def test_the_conclusion_is_part_of_the_budget(self, api, collection, model):
        config = {"reasoning_strategy": "hierarchical", "token_budget_multiplier": 3, "evaluation_threshold": 0}
        found = ask(api, collection, question=TWO, cot_config=config).json
        assert len(model.prompts) == 3
        assert ("token_warning" in found, found["metadata"]["tokens_used"]) == (False, 27)

    def test_each_round_reserves_its_own(self, api, collection, model):
        config = {"reasoning_strategy": "iterative", "evaluation_threshold": 0}
        found = ask(api, collection, question=TWO, cot_config=config).json
        assert (len(model.prompts), found["metadata"]["tokens_used"]) == (2, 18)

    def test_the_form_is_told_to_the_model(self, api, collection, model):
        ask(api, collection, structured_output_enabled=True, format_type="summary")
        assert [prompt.form for prompt in model.prompts] == ["summary"]


@pytest.mark.parametrize("form", ["standard", "cot_reasoning", "comparative", "summary"])
def test_a_structured_answer_has_the_form_that_was_asked_for(api, collection, form):
    found = ask(api, collection, question=TWO, structured_output_enabled=True, format_type=form).json
    structured = found["structured_answer"]
    assert structured["format_type"] == form
    assert structured["answer"] == found["answer"]
    assert structured["citations"] == found["citations"]
    assert structured["metadata"] == {"strategy": "decomposition", "parts": 2, "answered": 2}
    best = max(citation["relevance_score"] for citation in found["citations"])
    assert 0 < structured["confidence"] <= best
    assert ("reasoning_steps" in structured) == (form == "cot_reasoning")
    told = {"comparative": "metres? ", "cot_reasoning": "\n2. at how many degrees"}.get(form, "")
    assert told in found["answer"]


@pytest.mark.parametrize("form", ["standard", "summary"])
def test_a_part_that_the_documents_do_not_answer_is_told(api, collection, form):
    config = {"structured_output_enabled": True, "format_type": form, "cot_enabled": True}
    found = ask(api, collection, question=HALF, **config).json
    answer, note = found["answer"].rsplit("\n", 1)
    assert "10,935" in answer
    assert note == f"Who painted the chapel's ceiling? {NOT_FOUND}"
    assert found["structured_answer"]["answer"] == found["cot_output"]["final_answer"] == found["answer"]
    assert found["metadata"]["outcome"] == "answered"
    for citation in found["citations"]:
        assert all(0 <= span["start"] < span["end"] <= len(answer) for span in citation["answer_spans"])
    assert found["structured_answer"]["metadata"]["answered"] == 1


def test_it_is_told_beside_a_conclusion_too(api, collection):
    config = {"cot_config": {"reasoning_strategy": "hierarchical", "evaluation_threshold": 0}}
    for form in ("standard", "comparative"):
        asked = {"structured_output_enabled": True, "format_type": form} | config
        answer = ask(api, collection, question=HALF, **asked).json["answer"]
        assert answer.endswith(f"\nWho painted the chapel's ceiling? {NOT_FOUND}")


def test_the_steps_are_told_where_they_are_asked_for(api, collection):
    found = ask(api, collection, structured_output_enabled=True, include_reasoning=True).json
    [step] = found["structured_answer"]["reasoning_steps"]
    assert step["step_number"] == 1
    assert ask(api, collection, question=TWO, include_reasoning=True).json["cot_output"] is not None


@pytest.mark.parametrize("draft", ["Die Tiefe ist 9 Meter [1].", ""])
def test_what_has_no_answer_is_told_alike_wherever_it_is_told(api, collection, services, draft):
    services.generator = Writer(draft)
    asked = "Wie tief ist der Graben und wie lange dauert die Reise?"
    config = {"structured_output_enabled": True, "format_type": "comparative", "include_reasoning": True}
    found = ask(api, collection, question=asked, **config).json
    told = wording(Outcome.unverified if draft else Outcome.not_found, "de")
    assert found["metadata"]["outcome"] == ("unverified" if draft else "not_found")
    assert found["answer"] == found["structured_answer"]["answer"] == found["cot_output"]["final_answer"] == told
    steps = found["cot_output"]["reasoning_steps"]
    assert [step["intermediate_answer"] for step in steps] == [told, told]


def test_a_form_needs_a_structured_answer(api, collection):
    refused = ask(api, collection, format_type="summary")
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "config_metadata.format_type")


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_reasoning_depth": 0},
        {"max_reasoning_depth": 6},
        {"reasoning_strategy": "magic"},
        {"token_budget_multiplier": 0.5},
        {"evaluation_threshold": 2},
        {"no_such_field": 1},
    ],
)
def test_a_wrong_config_names_its_field(api, collection, wrong):
    refused = ask(api, collection, cot_config=wrong)
    assert refused.status == 422
    [name] = wrong
    assert refused.json["errors"][0]["field"] == f"config_metadata.cot_config.{name}"
