"""The baselines of the quality benchmark, over the chunks that the product makes of the documents."""

import io
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.baselines import Bm25, fuse, rank_by_vector, rank_documents
from benchmarks.cached_models import Memory, RememberingModel
from modulo.adapters.parsing.markdown_parser import MarkdownParser
from modulo.cli.evaluation.found import Found, FoundPassage
from modulo.cli.evaluation.golden import GoldenQuestion
from modulo.cli.models.inference import load_embedder
from modulo.domain.collections.collection import Chunking
from modulo.domain.ingestion.chunking import chunk


def rank_baselines(
    documents: Mapping[str, str], questions: Sequence[GoldenQuestion], memory: Memory
) -> tuple[int, dict[str, list[Found]]]:
    """The number of chunks, and by baseline the documents that it ranks for each question."""
    parser, chunking = MarkdownParser(), Chunking()
    texts: list[str] = []
    document_of: list[str] = []
    for name, content in documents.items():
        pages = parser.parse(io.BytesIO(content.encode())).pages()
        made = [one.embedded_text for one in chunk(pages, chunking)]
        texts += made
        document_of += [name] * len(made)
    model = RememberingModel.of(load_embedder(), memory)
    vectors = np.stack([model.run(model.encode([text])[0]) for text in texts])
    bm25 = Bm25(texts)
    found: dict[str, list[Found]] = {"BM25": [], "dense": [], "RRF": []}
    for question in questions:
        lexical = rank_documents(bm25.scores(question.question), document_of)
        dense = rank_by_vector(model.run(model.encode([question.question])[0]), vectors, document_of)
        for name, ranking in (("BM25", lexical), ("dense", dense), ("RRF", fuse([lexical, dense]))):
            found[name].append(_found(ranking))
    return len(texts), found


def _found(ranking: Sequence[str]) -> Found:
    return Found([FoundPassage("", frozenset((document,)), document) for document in ranking])
