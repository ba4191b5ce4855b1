"""What every generator promises: extractive, over a local language model, and over Bedrock's protocol."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from modulo.adapters.models.bedrock_generator import BedrockGenerator
from modulo.adapters.models.cohere_reranker import CohereReranker
from modulo.adapters.models.extractive_generator import ExtractiveGenerator
from modulo.adapters.models.openai_generator import OpenAIGenerator
from modulo.adapters.models.word_overlap_reranker import WordOverlapReranker
from modulo.domain.answers.answer import Prompt
from modulo.domain.answers.citations import check_citations
from modulo.ports.models import Generator
from tests.contracts.provider import Answer, Provider
from tests.unit.passages import passage

Environment = dict[str, str]
PASSAGES = [
    passage("Interest rates rose sharply this quarter. Banks were surprised.", name="rates.txt"),
    passage("It rises in the Alps. The Rhine is 1,233 km long. Many towns lie on it.", name="rivers.txt"),
]
PROMPT = Prompt("How long is the Rhine?", PASSAGES)
REPLY = {
    "output": {"message": {"role": "assistant", "content": [{"text": "The Rhine is 1,233 km long [2]."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 300, "outputTokens": 12, "totalTokens": 312},
    "metrics": {"latencyMs": 1},
}


@contextmanager
def extractive(environment: Environment) -> Iterator[ExtractiveGenerator]:
    url, key = environment["RERANK_URL"], environment["RERANK_API_KEY"]
    with closing(CohereReranker(url, api_key=key, model="ms-marco-MiniLM-L-12-v2", timeout=60)) as reranker:
        yield ExtractiveGenerator(reranker)


@contextmanager
def openai(environment: Environment) -> Iterator[OpenAIGenerator]:
    url, key, model = (environment[f"GENERATOR_{name}"] for name in ("URL", "API_KEY", "MODEL"))
    with closing(OpenAIGenerator(url, api_key=key, model=model, max_tokens=120, timeout=120)) as generator:
        yield generator


@contextmanager
def bedrock(monkeypatch: pytest.MonkeyPatch) -> Iterator[BedrockGenerator]:
    with Provider(Answer(REPLY)) as provider:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", provider.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
            monkeypatch.setenv(name, "eu-central-1")
        with closing(BedrockGenerator("anthropic.claude", max_tokens=120, timeout=5)) as generator:
            yield generator


@pytest.fixture(params=["extractive over words", "extractive", "openai", "bedrock"])
def generator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Generator]:
    match request.param:
        case "extractive over words":
            yield ExtractiveGenerator(WordOverlapReranker())
        case "extractive":
            with extractive(request.getfixturevalue("models")) as made:
                yield made
        case "openai":
            with openai(request.getfixturevalue("llm")) as made:
                yield made
        case "bedrock":
            with bedrock(monkeypatch) as made:
                yield made


def test_a_draft_may_be_checked_and_its_tokens_were_reserved(generator: Generator) -> None:
    reserved = generator.reserve(PROMPT)
    draft = generator.generate(PROMPT)
    assert 0 <= draft.tokens.total <= reserved
    assert (draft.tokens.total > 0) == (reserved > 0)
    for cited in check_citations(draft, PASSAGES, max_citations=5).cited:
        assert cited.excerpt in cited.passage.text


def test_its_name_says_what_it_is(generator: Generator) -> None:
    assert generator.name.partition(":")[0] in ("extractive", "openai", "bedrock")


def test_it_answers_when_asked(generator: Generator) -> None:
    generator.ping()


def test_a_metered_one_reserves_more_for_more(generator: Generator) -> None:
    more = Prompt(PROMPT.question, PASSAGES * 10)
    assert generator.reserve(more) > generator.reserve(PROMPT) or generator.reserve(more) == 0


def test_a_language_model_really_wrote(llm: Environment) -> None:
    with openai(llm) as generator:
        draft = generator.generate(PROMPT)
    assert draft.tokens.prompt > 100
    assert 0 < draft.tokens.completion <= 120


@pytest.fixture
def quoting(models: Environment) -> Iterator[ExtractiveGenerator]:
    with extractive(models) as generator:
        yield generator


def test_the_sentence_that_answers_is_quoted(quoting: ExtractiveGenerator) -> None:
    assert quoting.generate(PROMPT).text == "“The Rhine is 1,233 km long.” [2]"


def test_what_nothing_answers_gives_an_empty_draft(quoting: ExtractiveGenerator) -> None:
    assert quoting.generate(Prompt("Who invented the telephone?", PASSAGES)).text == ""
    assert quoting.generate(Prompt("Who invented the telephone?", [])).text == ""
    assert quoting.generate(Prompt("Why?", [passage("Is it? Is it not?")])).text == ""


def test_a_row_is_quoted_with_its_header(quoting: ExtractiveGenerator) -> None:
    table = passage("Year | Units sold | Profit\n2020 | 15 | 3.5\n2021 | 22 | 4.1\n2022 | 31 | 5.0")
    prompt = Prompt("How many units were sold in 2021?", [PASSAGES[0], table])
    draft = quoting.generate(prompt)
    assert draft.text.startswith("“Year | Units sold | Profit … 2021 | 22 | 4.1” [2]")
    assert "“Year | Units sold | Profit” [2]" not in draft.text
    assert check_citations(draft, prompt.passages, max_citations=5).text == draft.text


def test_the_answer_to_a_question_in_the_document_is_quoted_rather_than_the_question(
    quoting: ExtractiveGenerator,
) -> None:
    page = passage("How long is the warranty? Two years from the day of purchase. Who pays for shipping? You do.")
    assert (
        "“Two years from the day of purchase.” [1]"
        in quoting.generate(Prompt("How long is the warranty?", [page])).text
    )


def test_what_looks_like_a_mark_in_a_document_is_none_in_the_answer(quoting: ExtractiveGenerator) -> None:
    passages = [passage("The Rhine is 1,233 km long.[2]"), PASSAGES[0]]
    draft = quoting.generate(Prompt(PROMPT.question, passages))
    assert draft.text == "“The Rhine is 1,233 km long.(2)” [1]"
    assert [cited.mark for cited in check_citations(draft, passages, max_citations=5).cited] == [1]


def test_overlapping_passages_are_quoted_once(quoting: ExtractiveGenerator) -> None:
    overlapping = passage("The Rhine is 1,233 km long. It flows north.")
    assert quoting.generate(Prompt(PROMPT.question, [*PASSAGES, overlapping])).text.count("1,233") == 1


def test_a_sentence_with_quotation_marks_of_its_own_stands_up_to_the_check(quoting: ExtractiveGenerator) -> None:
    page = passage('The mayor said: "The bridge is 300 m long." Others said “it is "long"” and left.')
    draft = quoting.generate(Prompt("How long did the mayor say the bridge is?", [page]))
    assert "300 m" in check_citations(draft, [page], max_citations=5).text
