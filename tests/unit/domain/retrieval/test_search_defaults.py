from modulo.domain.retrieval.fusion import SearchType
from modulo.domain.retrieval.grouping import GroupBy
from modulo.domain.retrieval.search_defaults import NO_DEFAULTS, SearchDefaults, first_said, of_all


def test_the_first_who_says_anything_counts_and_zero_is_something() -> None:
    one, other = SearchDefaults(score_threshold=0.0), SearchDefaults(score_threshold=0.5, top_k=3)
    assert first_said(lambda said: said.score_threshold, one, other) == 0.0
    assert first_said(lambda said: said.top_k, one, other) == 3
    assert first_said(lambda said: said.search_type, one, other) is SearchType.hybrid
    assert first_said(lambda said: said.instructions, NO_DEFAULTS) == ""


def test_collections_say_together_what_all_of_them_say_and_the_most_passages() -> None:
    one = SearchDefaults(top_k=3, group_by=GroupBy.document, instructions="Be brief.")
    assert of_all([one, one.model_copy(update={"top_k": 7})]) == one.model_copy(update={"top_k": 7})
    assert of_all([one, NO_DEFAULTS]) == SearchDefaults(top_k=3)
    assert of_all([]) == NO_DEFAULTS
