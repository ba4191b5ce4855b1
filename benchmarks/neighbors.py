"""Does more of what answers a question stand in a model's context where neighbours take a share of its tokens?

Run by name: `python -m benchmarks.neighbors --data FOLDER`. The product's chunker, terms and joining of neighbours run
in this process; passages are ranked by their words alone (BM25), so that no model is needed. A context of a number of
tokens is filled with the best passages, or with fewer of them and their neighbours. Held is what is gold: of SQuAD,
whose paragraphs are put together to the articles they are from, a sentence with the answer; of CLAPnQ each sentence
that its answer was written from.
"""

import argparse
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from benchmarks.baselines import Bm25
from benchmarks.machine import ROOT, machine_facts
from benchmarks.quality_sets import SEED, MissingData, read_rows
from modulo.adapters.milvus.terms import sought_terms, stored_terms
from modulo.cli.evaluation import bootstrap
from modulo.cli.evaluation.answer_match import holds
from modulo.cli.evaluation.measures import Share
from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk  # noqa: TC001 - as in all benchmarks, imports are plain
from modulo.domain.documents.document import Block, BlockKind, Page
from modulo.domain.files.file import DocumentInfo, FileRef
from modulo.domain.ingestion.chunking import chunk
from modulo.domain.retrieval.neighbors import LABEL_TOKENS, in_reading_order, joined
from modulo.domain.retrieval.passage import Hit, LiveDocument, Passage
from modulo.domain.text.sentences import sentences
from modulo.domain.text.tokens import estimate as tokens_of

RESULT = ROOT / "benchmarks" / "results" / "neighbors.json"
DATA = Path(os.environ.get("MODULO_EVALUATION_DATA", ROOT.parent / "shared" / "eval"))
BUDGETS = (500, 1_000, 2_000, 3_000)
SHARES = (0.0, 0.25, 0.5)
"""Of a context's tokens, those that neighbours take."""
CANDIDATES = 20
_ID = UUID(int=0)
estimate = partial(bootstrap.estimate, resamples=2_000)
difference = partial(bootstrap.difference, resamples=2_000)
Documents = Mapping[str, tuple[str, Sequence[str]]]
"""A title and paragraphs by name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the document that answers it, and the texts of it that do: one of each group is enough."""

    question: str
    document: str
    gold: Sequence[Sequence[str]]


def squad(folder: Path, count: int) -> tuple[Documents, list[Asked]]:
    """Articles, and answerable questions."""
    articles = defaultdict[str, list[str]](list)
    for row in read_rows(folder / "squad" / "corpus.jsonl"):
        articles[row["title"]].append(row["text"])
    names = {text: title for title, texts in articles.items() for text in texts}
    rows = [
        row
        for row in read_rows(folder / "squad2" / "dev_half.jsonl")
        if not row["impossible"] and row["context"] in names
    ]
    random.Random(SEED).shuffle(rows)
    asked = []
    for row in rows[:count]:
        told = [one.text for one in sentences(row["context"])]
        gold = [one for one in told if any(holds(one, answer) for answer in row["answers"])]
        if gold:
            asked.append(Asked(row["question"], names[row["context"]], (gold,)))
    return {title: (title, texts) for title, texts in articles.items()}, asked


def clapnq(folder: Path, count: int) -> tuple[Documents, list[Asked]]:
    """Passages of articles, and answerable questions."""
    documents: dict[str, tuple[str, Sequence[str]]] = {}
    asked = []
    for kind in ("answerable", "unanswerable"):
        for row in read_rows(folder / "clapnq" / f"clapnq_dev_{kind}.jsonl"):
            documents |= {one["text"]: (one["title"], (one["text"],)) for one in row["passages"]}
            if kind == "answerable":
                gold = [[text] for text in row["output"][0]["selected_sentences"] if text]
                asked.append(Asked(row["input"], row["passages"][0]["text"], gold))
    random.Random(SEED).shuffle(asked)
    return documents, [one for one in asked if one.gold][:count]


SETS = {"squad": squad, "clapnq": clapnq}


class Index:
    """All chunks of some documents, searched by words."""

    def __init__(self, documents: Documents) -> None:
        self.chunks: dict[UUID, list[Chunk]] = {}
        self._rows: list[tuple[Chunk, LiveDocument]] = []
        for name, (title, paragraphs) in documents.items():
            blocks = (Block(BlockKind.heading, title, level=1), *(Block(BlockKind.text, one) for one in paragraphs))
            made = list(chunk([Page(1, blocks)], Chunking()))
            document = LiveDocument(uuid5(_ID, name), 1, name, len(made), DocumentInfo(), "")
            self.chunks[document.file_id] = made
            self._rows += [(one, document) for one in made]
        self._bm25 = Bm25([stored_terms(one, "en") for one, _ in self._rows], words=str.split)

    def search(self, question: str) -> list[Passage]:
        """The best passages."""
        found = self._bm25.scores(" ".join(dict.fromkeys(sought_terms(question).split())))
        best = sorted(found, key=lambda number: -found[number])[:CANDIDATES]
        return [self._passage(number, found[number]) for number in best]

    def _passage(self, number: int, score: float) -> Passage:
        one, document = self._rows[number]
        return Passage(Hit(FileRef(_ID, _ID, document.file_id, 1), one, score, document.name), document)


def context(ranked: Sequence[Passage], index: Index, budget: int, share: float) -> list[Passage]:
    """What fits a context: the best passages and, of so large a share of it, their neighbours."""
    left, kept = float(budget), list[Passage]()
    for passage in ranked:
        cost = LABEL_TOKENS + tokens_of(passage.text)
        if cost > left - share * budget:
            break
        left -= cost
        kept.append(passage)
    chunks = {one.hit.ref: index.chunks[one.document.file_id] for one in kept} if share else {}
    return in_reading_order(joined(kept, chunks, tokens=int(left)))


def held(asked: Asked, read: Sequence[Passage]) -> Share:
    """How many of the gold texts stand in what is read of the right document, and how many there are."""
    right = sorted((one for one in read if one.document.name == asked.document), key=lambda one: one.hit.chunk.number)
    text = "\n".join(one.text for one in right)
    return float(sum(any(holds(text, one) for one in group) for group in asked.gold)), float(len(asked.gold))


def measure(documents: Documents, questions: Sequence[Asked]) -> dict[str, Any]:
    """The share of gold that contexts of each size hold, and what each share for neighbours changes."""
    index, added = Index(documents), defaultdict[tuple[int, float], list[Share]](list)
    for asked in questions:
        ranked = index.search(asked.question)
        for budget in BUDGETS:
            for share in SHARES:
                added[budget, share].append(held(asked, context(ranked, index, budget, share)))
    budgets: dict[int, dict[str, Any]] = {budget: {} for budget in BUDGETS}
    for (budget, share), values in added.items():
        ahead = asdict(difference(added[budget, 0.0], values)) if share else None
        budgets[budget][f"{share:.0%} for neighbours"] = {**asdict(estimate(values)), "ahead_of_passages_alone": ahead}
    return {"documents": len(documents), "questions": len(questions), "budgets": budgets}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 where the data are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation sets")
    parser.add_argument("--questions", type=int, default=200, help="how many of each set, drawn with a fixed seed")
    parser.add_argument("--into", type=Path, default=RESULT, help="result file")
    options = parser.parse_args(arguments)
    try:
        found = {name: measure(*read(options.data, options.questions)) for name, read in SETS.items()}
    except MissingData as error:
        sys.stderr.write(f"{error}. Name the folder with --data or MODULO_EVALUATION_DATA.\n")
        return 2
    stored = {"seed": SEED, "sets": found, "machine": machine_facts()}
    options.into.write_text(json.dumps(stored, indent=1) + "\n")
    print(json.dumps(stored, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
