"""Public evaluation sets as documents and golden questions; they are read from a folder outside the repository."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modulo.cli.evaluation.answer_match import comparable
from modulo.cli.evaluation.golden import GoldenQuestion

SEED = 7


class MissingData(Exception):
    """A file of the evaluation data is not there; the message names it and says where it belongs."""


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Documents by file name, and questions about them; `answers` says whether answers are judged, too."""

    name: str
    documents: Mapping[str, str]
    questions: Sequence[GoldenQuestion]
    answers: bool = False

    def sample(self, count: int | None) -> "EvaluationSet":
        """With at most so many answerable and so many unanswerable questions, drawn with a fixed seed."""
        if count is None:
            return self
        kept: list[GoldenQuestion] = []
        for unanswerable in (False, True):
            group = sorted((q for q in self.questions if q.unanswerable is unanswerable), key=lambda one: one.id)
            random.Random(SEED).shuffle(group)
            kept += group[:count]
        return replace(self, questions=kept)


def read_set(folder: Path, name: str) -> EvaluationSet:
    """The set of that name.

    Raises:
        MissingData: a file of it is not in the folder.
    """
    return SETS[name](folder)


def _retrieval_set(name: str) -> Callable[[Path], EvaluationSet]:
    """A set in BEIR's form: corpus.jsonl, queries.jsonl and relevance judgements."""

    def read(folder: Path) -> EvaluationSet:
        relevant = _judgements(folder / name)
        questions = [
            GoldenQuestion(id=row["_id"], question=row["text"], documents=relevant[row["_id"]], answers=_answers(row))
            for row in read_rows(folder / name / "queries.jsonl")
            if row["_id"] in relevant
        ]
        return EvaluationSet(name, _corpus(folder / name), questions)

    return read


def _squad2(folder: Path) -> EvaluationSet:
    """SQuAD 2.0 over the paragraphs of `squad`: gold answers, and questions that the paragraphs do not answer."""
    names = {row["text"]: f"{row['_id']}.md" for row in read_rows(folder / "squad" / "corpus.jsonl")}
    questions = []
    for row in read_rows(folder / "squad2" / "dev_half.jsonl"):
        known: dict[str, Any] = {"unanswerable": True}
        if not row["impossible"]:
            known = {"documents": {names[row["context"]]: 1}, "answers": _distinct(row["answers"])}
        questions.append(GoldenQuestion(id=row["id"], question=row["question"], **known))
    return EvaluationSet("squad2", _corpus(folder / "squad"), questions, answers=True)


def _clapnq(folder: Path) -> EvaluationSet:
    """CLAPnQ: a passage for each question; the unanswerable ones have a passage on their subject, too."""
    documents: dict[str, str] = {}
    names: dict[str, str] = {}
    questions = []
    for kind in ("answerable", "unanswerable"):
        for row in read_rows(folder / "clapnq" / f"clapnq_dev_{kind}.jsonl"):
            own = [_document(passage["title"], passage["text"]) for passage in row["passages"]]
            for content in own:
                names.setdefault(content, f"c{len(names)}.md")
                documents[names[content]] = content
            known: dict[str, Any] = {"unanswerable": True}
            if kind == "answerable":
                known = {"documents": {names[content]: 1 for content in own}}
            questions.append(GoldenQuestion(id=row["id"], question=row["input"], **known))
    return EvaluationSet("clapnq", documents, questions, answers=True)


def _tatqa(folder: Path) -> EvaluationSet:
    """TAT-QA: all questions for retrieval, answers of those that a span of the text or a cell answers."""
    found = _retrieval_set("tatqa")(folder)
    spans = {row["_id"] for row in read_rows(folder / "tatqa" / "queries.jsonl") if row["type"] == "span"}
    questions = [one if one.id in spans else one.model_copy(update={"answers": ()}) for one in found.questions]
    return replace(found, questions=questions, answers=True)


def tatqa_table_spans(folder: Path) -> frozenset[str]:
    """The questions that one cell of a table answers."""
    rows = read_rows(folder / "tatqa" / "queries.jsonl")
    return frozenset(row["_id"] for row in rows if (row["type"], row["from"]) == ("span", "table"))


SETS: Mapping[str, Callable[[Path], EvaluationSet]] = {
    "scifact": _retrieval_set("scifact"),
    "squad": _retrieval_set("squad"),
    "squad2": _squad2,
    "clapnq": _clapnq,
    "tatqa": _tatqa,
    "xquad-en": _retrieval_set("xquad-en"),
    "xquad-de": _retrieval_set("xquad-de"),
    "xquad-zh": _retrieval_set("xquad-zh"),
}


def _corpus(folder: Path) -> dict[str, str]:
    return {f"{row['_id']}.md": _document(row["title"], row["text"]) for row in read_rows(folder / "corpus.jsonl")}


def _document(title: str, text: str) -> str:
    """A Markdown file."""
    return f"# {title}\n\n{text}\n" if title else f"{text}\n"


def _judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Relevant documents by question, with their grades."""
    path = next((path for path in (folder / "qrels" / "test.tsv", folder / "qrels.tsv") if path.exists()), None)
    if path is None:
        raise MissingData(f"{folder} has neither qrels/test.tsv nor qrels.tsv")
    relevant: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        question, document, grade = line.split("\t")
        if int(grade) > 0:
            relevant.setdefault(question, {})[f"{document}.md"] = int(grade)
    return relevant


def _answers(row: Mapping[str, Any]) -> tuple[str, ...]:
    given = row.get("answers", row.get("answer", []))
    return _distinct(map(str, given if isinstance(given, list) else [given]))


def _distinct(answers: Any) -> tuple[str, ...]:
    """Each answer once, without those that hold nothing to be found by: one of SQuAD's is a full stop."""
    return tuple(dict.fromkeys(answer for answer in answers if comparable(answer)))


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of JSON objects.

    Raises:
        MissingData: the file is not there.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
    except FileNotFoundError:
        raise MissingData(f"{path} is not there") from None
