"""What a golden set names and a collection does not hold."""

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.missing import GoldenPassage, Missing, joined, missing_from
from modulo.cli.evaluation.searches import Server

COLLECTION = "c"


class Served(Server):
    """The files that a server shows, by name, with the passages of those that are ready."""

    def __init__(self, passages: Mapping[str, Sequence[str] | None], aliases: Mapping[str, list[str]] | None = None):
        self._passages = passages
        self._aliases = aliases or {}
        self.read: list[str] = []

    def files(self, collection_id: str) -> Any:
        assert collection_id == COLLECTION
        for name, texts in self._passages.items():
            found = {"id": f"id of {name}", "name": name, "stage": "failed", "aliases": self._aliases.get(name, [])}
            yield found if texts is None else {**found, "live_generation": 1}

    def passages(self, collection_id: str, file_id: str) -> list[str]:
        self.read.append(file_id.removeprefix("id of "))
        return list(self._passages[self.read[-1]] or ())


def _asked(number: int, **known: Any) -> GoldenQuestion:
    return GoldenQuestion.model_validate({"id": str(number), "question": "What?", **known})


def test_documents_are_there_by_name_and_id() -> None:
    served = Served({"a.md": [], "b.md": []})
    questions = [_asked(1, documents=["a.md", "id of b.md"]), _asked(2, answers=["one"]), _asked(3, unanswerable=True)]
    assert not missing_from(served, COLLECTION, questions)
    assert served.read == []


def test_documents_that_are_not_there_are_named_once() -> None:
    served = Served({"a.md": []}, {"a.md": ["copy.md"]})
    questions = [_asked(1, documents=["gone.md", "a.md"]), _asked(2, documents={"gone.md": 2, "copy.md": 1})]
    found = missing_from(served, COLLECTION, questions)
    assert found.documents == ["gone.md", "copy.md"]
    assert list(found.lines()) == [
        "the golden set names 2 documents that the collection does not have: gone.md, copy.md (an alias of a.md)"
    ]


def test_documents_that_are_not_ready_are_told_with_their_stage() -> None:
    found = missing_from(Served({"scan.pdf": None}), COLLECTION, [_asked(1, documents=["scan.pdf"])])
    assert found
    assert list(found.lines()) == ["the golden set names 1 document not ready to be searched: scan.pdf (failed)"]


def test_passages_are_looked_for_in_the_named_documents_first() -> None:
    served = Served({"a.md": ["There are 28 days of leave."], "b.md": ["Notice is a month."], "c.md": None})
    assert not missing_from(served, COLLECTION, [_asked(1, documents=["a.md"], passages=["28 Days of leave!"])])
    assert served.read == ["a.md"]


def test_passages_may_stand_in_any_document() -> None:
    served = Served({"a.md": ["There are 28 days."], "b.md": ["Notice is a month."], "c.md": None})
    questions = [
        _asked(1, documents=["a.md", "c.md", "d.md"], passages=["Notice is a month"]),
        _asked(2, passages=["28 days", "29 days"]),
    ]
    found = missing_from(served, COLLECTION, questions, concurrency=4)
    assert found.passages == [GoldenPassage("2", "29 days")]
    assert (found.documents, found.not_ready) == (["d.md"], {"c.md": "failed"})


def test_a_passage_may_stand_across_chunks_that_overlap() -> None:
    served = Served({"a.md": ["One begins. Two goes", "Two goes on. Three ends."]})
    assert not missing_from(served, COLLECTION, [_asked(1, passages=["begins. Two goes on. Three"])])


@given(st.text("ab. ", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=3))
def test_joined_passages_hold_each_passage(text: str, spans: list[tuple[int, int]]) -> None:
    passages = [text[start:end] for start, end in spans]
    whole = joined(passages)
    assert all(passage in whole for passage in passages)
    assert len(whole) <= sum(map(len, passages)) + len(passages)


def test_only_the_first_are_named() -> None:
    lines = list(Missing(documents=[f"{number}.md" for number in range(12)]).lines())
    assert lines == [
        "the golden set names 12 documents that the collection does not have: "
        "0.md, 1.md, 2.md, 3.md, 4.md, 5.md, 6.md, 7.md, 8.md, 9.md, and 2 more"
    ]


def test_passages_are_told_with_their_question_and_cut() -> None:
    found = Missing(passages=[GoldenPassage("leave", "28 days"), GoldenPassage("notice", "month " * 20)])
    assert list(found.lines()) == [
        "the golden set names 2 passages that no document holds: leave: 28 days\n  notice: " + "month " * 10 + "…"
    ]


def test_all_are_told_and_counted_as_json() -> None:
    found = Missing(documents=["a.md"], not_ready={"b.md": "failed"}, passages=[GoldenPassage("1", "28 days")])
    assert found.as_json() == {
        "documents": {"count": 1, "items": ["a.md"]},
        "not_ready": {"count": 1, "items": ["b.md"]},
        "passages": {"count": 1, "items": [{"question": "1", "excerpt": "28 days"}]},
    }
    assert Missing().as_json()["documents"] == {"count": 0, "items": []}
