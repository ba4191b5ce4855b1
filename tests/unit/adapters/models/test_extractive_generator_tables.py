"""Extractive answers from tables: of any table, the row and the column that the question names are quoted."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from modulo.adapters.models.extractive_generator import ExtractiveGenerator
from modulo.domain.answers.answer import Prompt
from modulo.domain.answers.extract_text import MAX_WORDS
from modulo.domain.text.stemming import content_words
from tests.unit.passages import passage

NAMES = (
    "asset cash cost credit debt deferred depreciation equity expense goodwill income interest inventory lease "
    "liability margin operating pension pretax receivable rental restructuring revenue service tax trade wage"
)
WORDS = NAMES.split()
LABELS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True).map(" ".join)
YEARS = st.lists(st.integers(1990, 2040), min_size=1, max_size=4, unique=True)


class Uncertain:
    """A reranker whose scores of tables tell nothing: any from .35 to .65, the same each time."""

    name = "uncertain"

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        return [0.35 + 0.3 * sha256(text.encode()).digest()[0] / 255 for text in texts]

    def ping(self) -> None:
        """Nothing to check."""


def answer(question: str, *tables: str, reranked: float = 0.6) -> list[str]:
    found = [passage(text, name=f"p{n}.md", reranked=reranked) for n, text in enumerate(tables)]
    return ExtractiveGenerator(Uncertain()).generate(Prompt(question, found)).text.splitlines()


def table(labels: Sequence[str], years: Sequence[int], first: int) -> str:
    """A table of different figures."""
    rows = [
        " | ".join([label, *(f"{first + n * 10 + at}" for at in range(len(years)))]) for n, label in enumerate(labels)
    ]
    return "\n".join([" | ".join(["", *map(str, years)]), *rows])


@settings(deadline=None)
@given(st.lists(LABELS, min_size=2, max_size=12, unique_by=lambda label: frozenset(label.split())), YEARS, st.data())
def test_the_row_that_the_question_names_is_quoted_first(
    labels: list[str], years: list[int], data: st.DataObject
) -> None:
    asked, year = data.draw(st.sampled_from(labels)), data.draw(st.sampled_from(years))
    others = [label for label in labels if label != asked]
    line = answer(f"What was the {asked} in {year}?", table(others, years, 5_000), table(labels, years, 7_000))[0]
    figure = 7_000 + labels.index(asked) * 10 + years.index(year)
    assert f"{asked} | " in line
    assert str(figure) in line
    assert line.endswith("[2]")


@settings(deadline=None)
@given(LABELS, st.integers(1990, 2040))
def test_a_table_of_another_period_is_not_quoted(label: str, year: int) -> None:
    assert answer(f"What was the {label} in {year}?", table([label, "other things"], [year + 1, year + 2], 5_000)) == []
    lines = answer(
        f"What was the {label} in {year}?",
        table([label, "other things"], [year + 1], 5_000),
        table([label, "other things"], [year], 7_000),
    )
    assert [line[-3:] for line in lines][:1] == ["[2]"]
    assert "7000" in lines[0]


@settings(deadline=None)
@given(LABELS, st.integers(2, 1_000), st.data())
def test_of_a_table_of_any_width_the_asked_column_is_quoted(label: str, width: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, width))
    header = " | ".join(["", *(f"{1000 + n}" for n in range(1, width + 1))])
    rows = [
        " | ".join([name, *(f"{first}{n}" for n in range(1, width + 1))]) for name, first in ((label, 7), ("other", 8))
    ]
    line = answer(f"What was the {label} in {1000 + at}?", "\n".join([header, *rows]))[0]
    assert label in line
    assert f"7{at}" in line.replace("\u201d", " ").split()
    assert len(line.split()) <= MAX_WORDS + 1


CELLS = st.sampled_from(["", "2019", "2018", "7", "\u2014", "(1)", "asset", "Total", "n/a", "*"])


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=6).map(" | ".join), min_size=1, max_size=8), st.sampled_from(WORDS)
)
def test_any_table_is_answered_from_its_own_words_or_not_at_all(rows: list[str], word: str) -> None:
    text = "\n".join(rows)
    assume(text.strip())
    for line in answer(f"What was the {word} in 2019?", text):
        told = set(content_words(line.rsplit(" [", 1)[0]))
        assert told <= set(content_words(text))


@pytest.mark.parametrize(
    "header",
    [
        "| |",
        "| Domestic | | Foreign |\n| 2019 | 2018 | 2019 | 2018",
        "| 2019",
        "| 2019 | 2018 | 2017 | 2016 | 2015 | 2014",
    ],
    ids=["empty", "merged", "narrow", "wide"],
)
def test_the_row_is_quoted_below_a_header_of_any_shape(header: str) -> None:
    text = (
        f"{header}\nNet revenue | 71 | 72 | 73 | 74\nNet revenue growth | 81 | 82 | 83 | 84\nRent | 91 | 92 | 93 | 94"
    )
    assert "Net revenue | 71" in answer("What was the net revenue?", text)[0]


def test_a_row_wider_than_its_header_keeps_its_name() -> None:
    long = " | ".join(f"{n} of many figures" for n in range(40))
    header = " | ".join(f"column {n} of the whole table" for n in range(20))
    line = answer("What was the net revenue?", f"{header}\nNet revenue | {long}\nRent | 1")[0]
    assert "Net revenue" in line
    assert len(line.split()) <= MAX_WORDS + 1
