"""Does a default answer quote the row of a table that answers a question, and where is the row lost if not?

Run by name: `python -m benchmarks.table_answers --data FOLDER`. The questions are those of TAT-QA whose only gold
answer is a cell of a table. As in `chunk_sizes`, the product's chunker, terms, fusion and reranking run in this
process, and its extracts and citation check too; only Milvus is replaced, by exact search. Documents of the dev split,
and with them their questions, are in one of two halves: choose on one, report the other, and the test split.
"""

import argparse
import hashlib
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.cached_models import Memory, RememberingModel
from benchmarks.chunk_sizes import CountingReranker, Index
from benchmarks.machine import ROOT, machine_facts
from benchmarks.quality import CACHE, DATA, change, estimate
from benchmarks.quality_sets import SEED, MissingData
from benchmarks.tatqa import OWN_FILES, read_split
from modulo.adapters.models.extractive_generator import ExtractiveGenerator
from modulo.cli.evaluation.answer_match import holds
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.measures import Share
from modulo.cli.models.inference import load_embedder, load_reranker
from modulo.domain.answers.answer import Answer, Prompt
from modulo.domain.answers.citations import check_citations
from modulo.domain.collections.collection import Chunking
from modulo.domain.retrieval.near_duplicates import distinct
from modulo.domain.retrieval.passage import Passage
from modulo.domain.retrieval.search_defaults import DEFAULT_TOP_K
from modulo.domain.text.table_rows import cells
from modulo.usecases.search.reranking import judged

RESULT = ROOT / "benchmarks" / "results" / "table_answers.json"
MAX_CITATIONS = 5
HALVES = ("choose", "report")
_MARK = re.compile(r"\[(\d+)\]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_FIGURE = re.compile(r"[^\w.%]")


@dataclass(frozen=True, slots=True)
class CellQuestion:
    """A question, and the rows of its document's table that hold the gold answer, as lists of cells."""

    asked: GoldenQuestion
    rows: Sequence[Sequence[str]]

    @property
    def half(self) -> str:
        """The half that its document is in."""
        (name,) = self.asked.documents
        return HALVES[hashlib.sha256(name.encode()).digest()[0] % 2]


def cell_questions(questions: Iterable[GoldenQuestion], documents: Mapping[str, str]) -> list[CellQuestion]:
    """The questions whose only gold answer is a cell of their document's table, but a year, which heads a column."""
    found = []
    for question in questions:
        (name,), (gold,) = question.documents, question.answers
        lines = [line for line in documents[name].splitlines() if line.startswith("|")]
        table = [cells(line.strip().strip("|")) for line in lines[2:]]  # the header and the rule below it
        rows = [row for row in table if any(_figure(cell) == _figure(gold) for cell in row)]
        if rows and not _YEAR.fullmatch(gold):
            found.append(CellQuestion(question, rows))
    return found


def _figure(cell: str) -> str:
    """A cell without what surrounds its figure or words, so that $ 1,000 is 1000."""
    return _FIGURE.sub("", cell.lower())


class RecordingReranker:
    """A reranker that keeps what it read."""

    def __init__(self, reranker: CountingReranker) -> None:
        self._reranker, self.name, self.texts = reranker, reranker.name, list[str]()

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question."""
        self.texts += texts
        return self._reranker.score(question, texts)

    def ping(self) -> None:
        """It is always there."""


def stages(
    one: CellQuestion, found: Sequence[Passage], kept: Sequence[Passage], read: Sequence[str], answer: Answer
) -> dict[str, Share]:
    """Up to which stage a right row of the right document came, and what the answer cites."""
    (gold,) = one.asked.answers
    quoted = [
        any(_tells(line, row, gold) for row in one.rows)
        and any(kept[int(mark) - 1].document.name in one.asked.documents for mark in _MARK.findall(line))
        for line in answer.text.splitlines()
    ]
    cited = [passage.passage.document.name in one.asked.documents for passage in answer.cited]
    return {
        "found": _certain(_has_row(one, found)),
        "kept": _certain(_has_row(one, kept)),
        "read": _certain(any(_tells(text, row, gold) for text in read for row in one.rows)),
        "quoted": _certain(any(quoted)),
        "quoted first": _certain(any(quoted[:1])),
        "answer holds gold": _certain(answer.found and holds(answer.text, gold)),
        "answered": _certain(answer.found),
        "citations of the right document": (float(sum(cited)), float(len(cited))),
    }


def _certain(holds_true: bool) -> Share:
    return float(holds_true), 1.0


def _has_row(one: CellQuestion, passages: Sequence[Passage]) -> bool:
    right = (passage.text for passage in passages if passage.document.name in one.asked.documents)
    rows = [[_figure(cell) for cell in row] for row in one.rows]
    return any([_figure(cell) for cell in cells(line)] in rows for text in right for line in text.splitlines())


def _tells(text: str, row: Sequence[str], gold: str) -> bool:
    """Whether a text tells both what the row is about and the gold answer."""
    name = next((cell for cell in row if any(map(str.isalpha, cell))), "")
    return holds(text, gold) and (not name or holds(text, name))


def measure(
    documents: Mapping[str, str], questions: Sequence[CellQuestion], memory: Memory
) -> tuple[dict[str, float], list[dict[str, Share]]]:
    """Tokens that the reranker's model reads, and how far each question's row came."""
    embedder, model = (RememberingModel.of(load(), memory) for load in (load_embedder, load_reranker))
    index, reranker = Index(documents, Chunking(), embedder), CountingReranker(model)
    tokens, added = Counter[str](), []
    for one in questions:
        asked, before = one.asked.question, model.counts.tokens
        found = index.search(asked)
        scores, relevances = judged(reranker, asked, found, len(found))
        known = [*scores, *[None] * (len(found) - len(scores))]
        ranked = [
            passage.with_rerank(score, relevance)
            for passage, score, relevance in zip(found, known, relevances, strict=True)
        ]
        ranked.sort(key=lambda passage: -passage.score)
        kept = distinct(ranked[:DEFAULT_TOP_K])
        tokens["reranking"] += model.counts.tokens - before
        before, recording = model.counts.tokens, RecordingReranker(reranker)
        draft = ExtractiveGenerator(recording).generate(Prompt(asked, kept))
        tokens["extracts"] += model.counts.tokens - before
        answer = check_citations(draft, kept, max_citations=MAX_CITATIONS)
        added.append(stages(one, found, kept, recording.texts, answer))
    return {name: round(count / len(questions), 1) for name, count in tokens.items()}, added


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 where the data are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation sets")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for what the models computed")
    parser.add_argument("--split", choices=OWN_FILES, default="dev", help="test has other documents; both are kept")
    parser.add_argument("--sample", type=int, help="how many questions, drawn with a fixed seed; default: all")
    parser.add_argument("--into", type=Path, default=RESULT, help="result file; a split not run now is kept")
    parser.add_argument("--details", type=Path, help="also write what each question adds, to compare runs")
    parser.add_argument("--before", type=Path, help="the details of an earlier run to compare with")
    options = parser.parse_args(arguments)
    try:
        split = read_split(options.data, options.split)
    except MissingData as error:
        sys.stderr.write(f"{error}. Name the folder with --data or MODULO_EVALUATION_DATA.\n")
        return 2
    questions = cell_questions(split.questions, split.documents)
    random.Random(SEED).shuffle(questions)
    questions = questions[: options.sample]
    memory = Memory(options.cache / "models.sqlite")
    tokens, added = measure(split.documents, questions, memory)
    memory.close()
    parts = by_part(options.split, questions, added)
    figures = {
        "questions": len(questions),
        "sample": options.sample or "all",
        "reranker_tokens_per_question": tokens,
        "parts": {part: _estimates(of_part) for part, of_part in parts.items()},
        "machine": machine_facts(),
    }
    stored = json.loads(options.into.read_text()) if options.into.exists() else {}
    stored |= {"seed": SEED, "splits": stored.get("splits", {}) | {options.split: figures}}
    options.into.write_text(json.dumps(stored, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    details = {"ids": [one.asked.id for one in questions], "parts": parts}
    if options.details:
        options.details.write_text(json.dumps(details))
    if options.before:
        print("\n".join(compare(json.loads(options.before.read_text()), json.loads(json.dumps(details)))))
    return 0


def by_part(
    split: str, questions: Sequence[CellQuestion], added: Sequence[Mapping[str, Share]]
) -> dict[str, list[Mapping[str, Share]]]:
    """What the questions add, by halves of the dev split; the test split is one part."""
    parts: dict[str, list[Mapping[str, Share]]] = {}
    for question, one in zip(questions, added, strict=True):
        parts.setdefault(question.half if split == "dev" else split, []).append(one)
    return parts


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Rows of a Markdown table: each measure before and after, of the same questions."""
    if before["ids"] != after["ids"]:
        return ["The earlier run asked other questions."]
    rows = [
        f"| {part} | {name} | {change([one[name] for one in old], [one[name] for one in after['parts'][part]])} |"
        for part, old in before["parts"].items()
        for name in old[0]
    ]
    return ["| part | measure | questions | before | after | difference (95 %) | p |", "|---" * 7 + "|", *rows]


def _estimates(added: Sequence[Mapping[str, Share]]) -> dict[str, Any]:
    return {name: asdict(estimate([one[name] for one in added])) for name in added[0]}


if __name__ == "__main__":
    sys.exit(main())
