from typing import Any

import pytest

from modulo_client.command.printing import print_answered, size, warnings_of
from modulo_client.models import Answer, AnswerMetadata


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
        (answered(degraded=("reranker", "cache")), "left out (reranker, cache)"),
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
