from typing import Any
from uuid import UUID

import pytest

from modulo_client.command.printing import print_answered, print_found, size, warnings_of
from modulo_client.models import Answer, AnswerMetadata, Passage, PassageMetadata, Result


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (20 * 1024, "20 KiB"),
        (10 * 1024**3, "10 GiB"),
        (3 * 1024**5, "3072 TiB"),
    ],
)
def test_a_size_is_told_in_steps_of_1024(count: int, shown: str) -> None:
    assert size(count) == shown


def answered(token_warning: str | None = None, **metadata: Any) -> Answer:
    return Answer(execution_time=0.1, metadata=AnswerMetadata(**metadata), token_warning=token_warning)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (answered(degraded=("embedder",)), "embedding model did not answer: passages were found by their words alone"),
        (answered(degraded=("reranker",)), "the reranker did not answer: passages stand in the order in which they"),
        (answered(degraded=("neighbors",)), "the text beside the passages could not be read"),
        (answered(degraded=("generator",)), "the first language model did not answer"),
        (answered(degraded=("cache",)), "cache did not answer and was left out"),
        (answered(complete=False), "only the nearest passages were checked"),
        (answered(cut_short=True), "ends early"),
        (answered(outcome="cut_short"), "ends early"),
        (answered(outcome="unverified"), "citations did not hold"),
        (answered(token_warning="Step 3 was not asked."), "Step 3 was not asked."),
    ],
)
def test_an_answer_that_lacks_something_is_told_so_beside_what_programs_read(
    answer: Answer, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [warning] = warnings_of(answer)
    assert told in warning
    print_answered(answer)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", f"warning: {warning}\n")


def test_a_whole_answer_has_no_warning() -> None:
    assert warnings_of(answered(outcome="answered", found=True)) == []


def result(text: str, *, score: float, fused: float | None) -> Result:
    place = PassageMetadata(source="sea.txt", page_number=2, chunk_number=0, start_index=0, end_index=1)
    chunk = Passage(chunk_id=UUID(int=1), document_id=UUID(int=2), text=text, metadata=place, score=score)
    return Result(chunk=chunk.model_copy(update={"fused_score": fused}), score=score)


@pytest.mark.parametrize(
    ("reranked", "fused", "told"),
    [
        (True, (1.5, 0.25), ["0.40", "0.90"]),
        (False, (1.5, 0.25), ["fused score 1.50", "fused score 0.25"]),
        (False, (None, None), ["0.40", "0.90"]),
    ],
)
def test_passages_are_printed_with_the_score_that_they_are_ordered_by(
    reranked: bool, fused: tuple[float | None, ...], told: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = answered(reranked=reranked, degraded=() if reranked else ("reranker",))
    results = (result("One.", score=0.4, fused=fused[0]), result("Two.", score=0.9, fused=fused[1]))
    print_found(found.model_copy(update={"query_results": results}))
    printed = capsys.readouterr()
    assert printed.out == f"{told[0]} sea.txt, page 2\nOne.\n\n{told[1]} sea.txt, page 2\nTwo.\n\n"
    assert ("the reranker did not answer" in printed.err) is not reranked
