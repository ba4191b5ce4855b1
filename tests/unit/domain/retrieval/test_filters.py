"""Trees of conditions: what they hold for, and what one store alone can decide of them."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.retrieval.filter_language import parse_filters
from modulo.domain.retrieval.filters import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Attribute,
    Comparison,
    Condition,
    Filter,
    FilterField,
    Not,
    all_of,
    any_of,
    conditions,
    holds,
    negation,
    on_documents,
    weakened,
)

FACTS = [Condition(Attribute(key), Comparison.exists) for key in "abcd"]
TREES: st.SearchStrategy[Filter] = st.recursive(
    st.sampled_from([*FACTS, EVERYTHING, NOTHING]),
    lambda inner: (
        st.builds(Not, inner) | st.builds(AllOf, st.tuples(inner, inner)) | st.builds(AnyOf, st.tuples(inner, inner))
    ),
    max_leaves=6,
)
WORLDS = [dict(zip(FACTS, truths, strict=True)) for truths in product((False, True), repeat=len(FACTS))]


def true_in(found: Filter, world: dict[Condition, bool]) -> bool:
    return holds(found, (world[one] for one in conditions(found)))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("B", True), ("A", True), ("A > B", True), ("B > C", True), ("A > C", False), ("", False), ("a", False)],
)
def test_a_heading_is_one_of_those_above_or_several_that_follow_each_other(heading: str, expected: bool) -> None:
    condition = Condition(FilterField.heading, Comparison.within, ("none", heading))
    assert condition.holds("A > B > C") is expected


@pytest.mark.parametrize(
    ("comparison", "bound", "met"),
    [
        (Comparison.gte, 2, [False, True, True]),
        (Comparison.gt, 2, [False, False, True]),
        (Comparison.lte, 2, [True, True, False]),
        (Comparison.lt, 2, [True, False, False]),
        (Comparison.within, 2, [False, True, False]),
    ],
)
def test_pages_are_compared(comparison: Comparison, bound: int, met: list[bool]) -> None:
    condition = Condition(FilterField.page_number, comparison, (bound,))
    assert [condition.holds(page) for page in (1, 2, 3)] == met


@pytest.mark.parametrize(
    ("comparison", "met"),
    [
        (Comparison.contains, [True, True, False]),
        (Comparison.starts_with, [True, False, False]),
        (Comparison.exists, [True, True, False]),
    ],
)
def test_texts_are_compared(comparison: Comparison, met: list[bool]) -> None:
    condition = Condition(FilterField.heading, comparison, () if comparison is Comparison.exists else ("On",))
    assert [condition.holds(heading) for heading in ("On Growth", "Not On Growth", "")] == met


@given(TREES)
def test_the_shortest_form_says_the_same(tree: Filter) -> None:
    for shorter, means in (
        (negation(tree), Not(tree)),
        (all_of([tree, FACTS[0]]), AllOf((tree, FACTS[0]))),
        (any_of([tree, FACTS[0]]), AnyOf((tree, FACTS[0]))),
    ):
        assert all(true_in(shorter, world) == true_in(means, world) for world in WORLDS)


@given(TREES, st.sets(st.sampled_from(FACTS)), st.sets(st.sampled_from(FACTS)))
def test_what_is_known_holds_wherever_all_of_it_does(
    tree: Filter, known: set[Condition], if_negated: set[Condition]
) -> None:
    weaker = weakened(tree, lambda condition, negated: condition in (if_negated if negated else known))
    assert set(conditions(weaker)) <= known | if_negated
    assert all(true_in(weaker, world) for world in WORLDS if true_in(tree, world))


@given(TREES)
def test_all_is_kept_where_all_is_known(tree: Filter) -> None:
    same = weakened(tree, lambda *_: True)
    assert all(true_in(same, world) == true_in(tree, world) for world in WORLDS)


def test_what_a_filter_asks_of_documents() -> None:
    page, author = {"page_number": 1}, {"author": "x"}
    asked = parse_filters(author)
    assert on_documents(parse_filters({**page, **author})) == asked
    assert on_documents(parse_filters({"type": "or", "filters": [page, author]})) == EVERYTHING
    assert on_documents(parse_filters(page)) == EVERYTHING
