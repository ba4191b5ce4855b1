"""How long should chunks be, where a reranker reads the best window of a long one?

Run by name: `python -m benchmarks.chunk_sizes --data FOLDER`. The product's own chunker, terms, fusion and reranking
run in this process over the documents of a public set; only Milvus is replaced, by exact search. Each size has overlaps
of a fifth of it, as the default has. An excerpt is found where a passage of a right document holds a gold answer.
"""

import argparse
import io
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from tokenizers import Encoding

from benchmarks.cached_models import Memory, RememberingModel
from benchmarks.machine import ROOT, machine_facts
from benchmarks.quality import CACHE, DATA, difference, estimate
from benchmarks.quality_sets import SEED, SETS, MissingData, read_set
from modulo.adapters.milvus.terms import sought_terms, stored_terms
from modulo.adapters.parsing.markdown_parser import MarkdownParser
from modulo.cli.evaluation.answer_match import holds
from modulo.cli.evaluation.found import Found, FoundPassage
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.evaluation.measures import Share, document_ndcg
from modulo.cli.models.inference import Model, load_embedder, load_reranker
from modulo.domain.collections.collection import Chunking
from modulo.domain.documents.chunk import Chunk  # noqa: TC001 - as in all benchmarks, imports are plain
from modulo.domain.files.file import DocumentInfo, FileRef
from modulo.domain.ingestion.chunking import chunk
from modulo.domain.retrieval.fusion import ROUTE_DEPTH, TEXT_WEIGHT, Candidates, fused
from modulo.domain.retrieval.passage import Hit, LiveDocument, Passage
from modulo.usecases.search.reranking import judged

RESULT = ROOT / "benchmarks" / "results" / "chunk_sizes.json"
SIZES = (200, 300, 400)
CANDIDATES, DEPTHS = 20, (5, 10)
TIMED = 20
"""How many chunks are embedded to know how long it takes."""
K1, B = 1.2, 0.75
_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class CountingReranker:
    """The product's reranker in this process; its model counts what it reads."""

    model: RememberingModel

    @property
    def name(self) -> str:
        """The model's name."""
        return self.model.name

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text answers the question."""
        return [float(self.model.run(pair)[0]) for pair in self.model.encode([(question, text) for text in texts])]

    def ping(self) -> None:
        """It is always there."""


class Index:
    """All chunks of some documents, searched by vectors and by words, exactly."""

    def __init__(self, documents: Mapping[str, str], chunking: Chunking, embedder: RememberingModel) -> None:
        self._embedder, parser = embedder, MarkdownParser()
        self.rows: list[tuple[Chunk, LiveDocument]] = []
        for name, content in documents.items():
            made = list(chunk(parser.parse(io.BytesIO(content.encode())).pages(), chunking))
            document = LiveDocument(uuid5(_ID, name), 1, name, len(made), DocumentInfo(), "")
            self.rows += [(one, document) for one in made]
        encoded = [embedder.encode([one.embedded_text])[0] for one, _ in self.rows]
        self.tokens = sum(len(one.ids) for one in encoded)
        self.seconds = _embedding_seconds(embedder, encoded) * self.tokens
        self._vectors = np.stack([embedder.run(one) for one in encoded])
        counts = [Counter(stored_terms(one, "en").split()) for one, _ in self.rows]
        self._lengths = [count.total() for count in counts]
        self._postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, count in enumerate(counts):
            for term, frequency in count.items():
                self._postings[term].append((number, frequency))

    def search(self, question: str) -> list[Passage]:
        """The best passages of both routes, fused."""
        similar = self._vectors @ self._embedder.run(self._embedder.encode([question])[0])
        worded = self._bm25(question)
        near = [int(number) for number in np.argsort(-similar)[:ROUTE_DEPTH]]
        keys = list(dict.fromkeys((*near, *worded)))
        candidates = Candidates(
            text_weights=[TEXT_WEIGHT] * len(keys),
            similarities=[float(similar[key]) for key in keys],
            bm25=[worded.get(key) for key in keys],
            cut=len(worded) == ROUTE_DEPTH,
        )
        (scores,) = fused([candidates])
        ranked = sorted(zip(keys, scores, strict=True), key=lambda pair: -pair[1])[:CANDIDATES]
        return [self._passage(key, float(similar[key]), score) for key, score in ranked]

    def _passage(self, key: int, similarity: float, score: float) -> Passage:
        one, document = self.rows[key]
        ref = FileRef(_ID, _ID, document.file_id, 1)
        return Passage(Hit(ref, one, similarity, document.name, fused=score), document)

    def _bm25(self, question: str) -> dict[int, float]:
        mean = sum(self._lengths) / len(self._lengths)
        found: defaultdict[int, float] = defaultdict(float)
        for term in set(sought_terms(question).split()):
            postings = self._postings.get(term, [])
            rarity = log(1 + (len(self.rows) - len(postings) + 0.5) / (len(postings) + 0.5))
            for number, count in postings:
                norm = K1 * (1 - B + B * self._lengths[number] / mean)
                found[number] += rarity * count * (K1 + 1) / (count + norm)
        best = sorted(found, key=lambda number: -found[number])[:ROUTE_DEPTH]
        return {number: found[number] for number in best}


def _embedding_seconds(model: Model, encoded: Sequence[Encoding]) -> float:
    """The CPU seconds of a token, of a few chunks that are computed whether they are remembered or not."""
    few = random.Random(SEED).sample(list(encoded), min(TIMED, len(encoded)))
    started = time.process_time()
    for one in few:
        Model.run(model, one)
    return (time.process_time() - started) / sum(len(one.ids) for one in few)


def reranked(reranker: CountingReranker, question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages in the order that the product gives them."""
    _, relevances = judged(reranker, question, passages, CANDIDATES)
    return [one for _, one in sorted(zip(relevances, passages, strict=True), key=lambda pair: -pair[0])]


def excerpt_recall(question: GoldenQuestion, passages: Sequence[Passage]) -> Share:
    """Whether a passage of a right document holds a gold answer; nothing for questions without one."""
    right = [one for one in passages if one.document.name in question.documents]
    held = any(holds(one.text, gold) for one in right for gold in question.answers)
    return float(held), float(bool(question.answers))


def measure(
    documents: Mapping[str, str], questions: Sequence[GoldenQuestion], size: int, memory: Memory
) -> tuple[dict[str, Any], dict[str, list[Share]]]:
    """Costs of one size, and what each question adds to each measure."""
    embedder, model = (RememberingModel.of(load(), memory) for load in (load_embedder, load_reranker))
    index = Index(documents, Chunking(max_tokens=size, overlap_tokens=size // 5), embedder)
    reranker, added = CountingReranker(model), defaultdict[str, list[Share]](list)
    for question in questions:
        passages = reranked(reranker, question.question, index.search(question.question))
        names = [FoundPassage("", frozenset((one.document.name,)), one.document.name) for one in passages[:10]]
        added["document_ndcg@10"].append(document_ndcg(question, Found(names)))
        for depth in DEPTHS:
            added[f"excerpt_recall@{depth}"].append(excerpt_recall(question, passages[:depth]))
    costs = {
        "chunks": len(index.rows),
        "tokens_embedded": index.tokens,
        "embedding_cpu_seconds": round(index.seconds, 1),
        "documents_per_cpu_second": round(len(documents) / index.seconds, 2),
        "reranker_tokens_per_question": round(model.counts.tokens / len(questions), 1),
    }
    return costs, dict(added)


def sampled(documents: Mapping[str, str], count: int | None) -> dict[str, str]:
    """So many of the documents, the same each time."""
    names = sorted(documents)
    random.Random(SEED).shuffle(names)
    return {name: documents[name] for name in names[:count]}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 where the data are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation sets")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for what the models computed")
    parser.add_argument("--set", default="tatqa", choices=SETS, help="which one")
    parser.add_argument("--documents", type=int, help="how many, drawn with a fixed seed; default: all")
    parser.add_argument("--into", type=Path, default=RESULT, help="result file")
    options = parser.parse_args(arguments)
    try:
        one = read_set(options.data, options.set)
    except MissingData as error:
        sys.stderr.write(f"{error}. Name the folder with --data or MODULO_EVALUATION_DATA.\n")
        return 2
    documents = sampled(one.documents, options.documents)
    questions = [
        question for question in one.questions if question.documents and set(question.documents) <= set(documents)
    ]
    memory = Memory(options.cache / "models.sqlite")
    found = {size: measure(documents, questions, size, memory) for size in SIZES}
    memory.close()
    first = found[SIZES[0]][1]
    sizes = {
        size: {
            **costs,
            **{name: asdict(estimate(values)) for name, values in added.items()},
            f"ahead_of_{SIZES[0]}": {name: asdict(difference(first[name], added[name])) for name in added},
        }
        for size, (costs, added) in found.items()
    }
    facts = {"set": options.set, "documents": len(documents), "questions": len(questions), "seed": SEED}
    stored = {**facts, "sizes": sizes, "machine": machine_facts()}
    options.into.write_text(json.dumps(stored, indent=1) + "\n")
    print(json.dumps(stored, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
