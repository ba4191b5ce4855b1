"""How good are retrieval and answers on public sets, beside BM25, dense search and their fusion on the same vectors?

Run by name: `python -m benchmarks.quality --data FOLDER`, or with MODULO_EVALUATION_DATA naming the folder. Documents
go in through the API, one file each; baselines rank the same chunks by the same vectors.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx

from benchmarks.cached_models import Memory
from benchmarks.machine import ROOT, machine_facts
from benchmarks.product import READY_SECONDS, Product, new_collection, start_product
from benchmarks.quality_baselines import rank_baselines
from benchmarks.quality_sets import SEED, SETS, EvaluationSet, MissingData, read_set, tatqa_table_spans
from modulo.cli.evaluation import bootstrap
from modulo.cli.evaluation.evaluation import degradations
from modulo.cli.evaluation.found import Found
from modulo.cli.evaluation.measures import Share, shares
from modulo.cli.evaluation.risk_coverage import area, risk_coverage
from modulo.cli.evaluation.searches import Server, Setup
from modulo.cli.stack import Stack
from modulo.cli.stack.process import HOST, Program, answers_http, free_port, plain_environment

RESULT = ROOT / "benchmarks" / "results" / "quality.json"
DATA = Path(os.environ.get("MODULO_EVALUATION_DATA", ROOT.parent / "shared" / "eval"))
CACHE = Path(os.environ.get("MODULO_QUALITY_CACHE", Path(tempfile.gettempdir(), "modulo-quality")))
SERVICES = ("postgres", "valkey", "milvus", "cloud")
INGEST_SECONDS = 3_600.0
UPLOADS, SEARCHES = 4, 2
SETUPS: Mapping[str, Mapping[str, Any]] = {
    "words alone": {"retrieve_only": True, "disable_rerank": True, "search_type": "text"},
    "first stage": {"retrieve_only": True, "disable_rerank": True},
    "reranked": {"retrieve_only": True},
}
ANSWERS: Mapping[str, Any] = {}
"""The configuration of the answers: the default one."""
Counts = Mapping[str, Mapping[str, int]]
"""Texts and tokens by model."""
RESAMPLES = 2_000
estimate = partial(bootstrap.estimate, resamples=RESAMPLES)
difference = partial(bootstrap.difference, resamples=RESAMPLES)
COMPARED = "document_ndcg@10"
PUBLISHED = (
    ("scifact", "BM25", 0.665, "Thakur et al., BEIR, 2021"),
    ("scifact", "bge-small-en-v1.5 over whole abstracts", 0.713, "quoted by the README of the evaluation data"),
    ("scifact", "OGX on Milvus, hybrid RRF and a reranker", 0.714, "quoted by the README of the evaluation data"),
    ("scifact", "OpenAI file search", 0.717, "quoted by the README of the evaluation data"),
)
"""nDCG@10 that others published; not measured here."""


@dataclass(frozen=True, slots=True)
class SetResult:
    """One set: figures about it, and what each question adds to each measure of each system."""

    facts: Mapping[str, Any]
    ids: Sequence[str]
    systems: Mapping[str, Mapping[str, Sequence[Share]]]


def measure_set(one: EvaluationSet, folder: Path, cache: Path) -> SetResult:
    """Ingest the set's documents, ask its questions and rank the baselines."""
    with _product(cache) as (product, models_port):
        started = perf_counter()
        collection = _ingest(product, one)
        facts: dict[str, Any] = {"documents": len(one.documents), "ingest_seconds": round(perf_counter() - started, 1)}
        found: dict[str, list[Found]] = {}
        answerable = [question for question in one.questions if question.documents]
        with Server(f"{product.url}/api", product.key) as server:
            wanted = [*SETUPS.items(), *([("answers", ANSWERS)] if one.answers else [])]
            for name, config in wanted:
                questions = one.questions if name == "answers" else answerable
                before, at = _model_counts(models_port), perf_counter()
                found[name] = server.ask(Setup(name, collection, config), questions, concurrency=SEARCHES)
                facts[name] = _costs(found[name], before, _model_counts(models_port), perf_counter() - at)
    memory = Memory(cache / "models.sqlite")
    try:
        facts["chunks"], rankings = rank_baselines(one.documents, answerable, memory)
    finally:
        memory.close()
    systems: dict[str, Mapping[str, Sequence[Share]]] = {
        name: shares(answerable, ranked) for name, ranked in rankings.items()
    }
    systems |= {name: shares(answerable, found[name]) for name in SETUPS}
    if one.answers:
        systems["answers"] = shares(one.questions, found["answers"])
        points = risk_coverage(one.questions, found["answers"])
        facts["answers"] |= {
            "area_under_risk_coverage": area(points),
            "risk_coverage": [asdict(p) for p in points[::10]],
        }
        systems |= _parts(one, found["answers"], folder)
    return SetResult(facts, [question.id for question in one.questions], systems)


def _parts(one: EvaluationSet, found: Sequence[Found], folder: Path) -> dict[str, Mapping[str, Sequence[Share]]]:
    """Answers to a part of the questions that is of interest by itself."""
    if one.name != "tatqa":
        return {}
    wanted = tatqa_table_spans(folder)
    pairs = [pair for pair in zip(one.questions, found, strict=True) if pair[0].id in wanted]
    return {"answers, cells of tables": shares(*map(list, zip(*pairs, strict=True)))}


def _costs(found: Sequence[Found], before: Counts, after: Counts, seconds: float) -> dict[str, Any]:
    per = {
        f"{name}_{kind}": (after[name][kind] - before[name][kind]) / len(found)
        for name in after
        for kind in after[name]
    }
    return {"questions": len(found), "seconds": round(seconds, 1), "degraded": degradations(found), "per_question": per}


def _model_counts(port: int) -> Counts:
    counts: Counts = httpx.get(f"http://{HOST}:{port}/counts", timeout=60, trust_env=False).raise_for_status().json()
    return counts


@contextmanager
def _product(cache: Path) -> Iterator[tuple[Product, int]]:
    """A product whose models remember what they computed before, and the port of the models."""
    port = free_port()
    url = f"http://{HOST}:{port}/v1"

    def start_models(stack: Stack) -> Mapping[str, str]:
        command = [sys.executable, "-m", "benchmarks.cached_models", str(port), str(cache / "models.sqlite")]
        models = stack.spawn("models", Program(command, {**plain_environment(), "PYTHONPATH": str(ROOT)}))
        models.await_ready(lambda: answers_http(port, "/health"), timeout=READY_SECONDS)
        return {"EMBEDDING_URL": url, "RERANK_URL": url}

    with start_product(services=SERVICES, prepare=start_models) as product:
        yield product, port


def _ingest(product: Product, one: EvaluationSet) -> str:
    """Upload all documents and wait until all are ready; the collection's id."""
    give_up = time.monotonic() + INGEST_SECONDS
    with product.client() as client:
        collection = new_collection(client, one.name)

        def upload(name: str) -> None:
            content = one.documents[name].encode()
            client.post(f"/collections/{collection}/files", files={"file": (name, content)}).raise_for_status()

        with ThreadPoolExecutor(UPLOADS) as threads:
            list(threads.map(upload, one.documents))
        while (stages := client.get(f"/collections/{collection}").json()["files"]).get("ready") != len(one.documents):
            if stages.get("failed") or time.monotonic() > give_up:
                raise RuntimeError(f"not all files of {one.name} became ready: {stages}")
            time.sleep(0.5)
    return collection


def summary(result: SetResult) -> dict[str, Any]:
    """Each system's measures, and by how much each other one is behind the reranked pipeline in nDCG@10."""
    systems = {
        name: {measure: asdict(estimate(values)) for measure, values in by_measure.items()}
        for name, by_measure in result.systems.items()
    }
    ours = result.systems["reranked"][COMPARED]
    ahead = {
        name: asdict(difference(by_measure[COMPARED], ours))
        for name, by_measure in result.systems.items()
        if name != "reranked" and not name.startswith("answers")
    }
    return {**result.facts, "systems": systems, f"reranked_ahead_in_{COMPARED}": ahead}


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Rows of a Markdown table: each measure before and after, of the sets whose same questions both runs asked."""
    rows = []
    for name in before.keys() & after.keys():
        if before[name]["ids"] != after[name]["ids"]:
            continue
        for system in before[name]["systems"].keys() & after[name]["systems"].keys():
            old, new = before[name]["systems"][system], after[name]["systems"][system]
            both = old.keys() & new.keys()
            rows += [f"| {name} | {system} | {one} | {change(old[one], new[one])} |" for one in both]
    columns = ("set", "system", "measure", "questions", "before", "after", "difference (95 %)", "p")
    return [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *sorted(rows)]


def change(old: Sequence[Share], new: Sequence[Share]) -> str:
    """Cells of a table: how many questions, the measure before and after, and the difference with its p value."""
    one, other, changed = estimate(old), estimate(new), difference(old, new)
    interval = f"{changed.value:+.3f} ({changed.low:+.3f} to {changed.high:+.3f})"
    p = "-" if changed.p is None else f"{changed.p:.4f}"
    return f"{one.count} | {one.value:.3f} | {other.value:.3f} | {interval} | {p}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the exit code is 2 where the data are missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation sets")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for what the models computed")
    parser.add_argument("--sets", default=",".join(SETS), help="names, with commas between")
    parser.add_argument("--sample", type=int, help="questions of each set, and as many unanswerable; default: all")
    parser.add_argument("--into", type=Path, default=RESULT, help="result file; sets not run now are kept")
    parser.add_argument("--details", type=Path, help="also write what each question adds, to compare runs")
    parser.add_argument("--before", type=Path, help="the details of an earlier run to compare with")
    options = parser.parse_args(arguments)
    try:
        sets = [read_set(options.data, name).sample(options.sample) for name in options.sets.split(",")]
    except MissingData as error:
        sys.stderr.write(f"{error}. Name the folder with --data or MODULO_EVALUATION_DATA.\n")
        return 2
    except KeyError as error:
        sys.stderr.write(f"There is no set {error}; there are {', '.join(SETS)}.\n")
        return 2
    stored = json.loads(options.into.read_text()) if options.into.exists() else {"sets": {}}
    details = json.loads(options.details.read_text()) if options.details and options.details.exists() else {}
    for one in sets:
        result = measure_set(one, options.data, options.cache)
        stored["sets"][one.name] = {**summary(result), "sample": options.sample or "all"}
        stored |= {"machine": machine_facts(), "seeds": {"sample": SEED, "bootstrap": SEED}, "resamples": RESAMPLES}
        stored["published"] = PUBLISHED
        details[one.name] = {"ids": list(result.ids), "systems": result.systems}
        options.into.write_text(json.dumps(stored, indent=1) + "\n")
        if options.details:
            options.details.write_text(json.dumps(details))
        print_set(one.name, stored["sets"][one.name])
    print("\n".join(table(stored)))
    if options.before:
        print("\n".join(compare(json.loads(options.before.read_text()), json.loads(json.dumps(details)))))
    return 0


def table(stored: Mapping[str, Any]) -> list[str]:
    """Rows of a Markdown table: nDCG@10 of each system on each set, and what others published."""
    systems = ("BM25", "dense", "RRF", *SETUPS)
    columns = ("set", "documents", "questions", *systems, "ahead of RRF (95 %)")
    rows = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, one in stored["sets"].items():
        found = [one["systems"][system][COMPARED] for system in systems]
        ahead = one[f"reranked_ahead_in_{COMPARED}"]["RRF"]
        values = " | ".join(f"{value['value']:.3f}" for value in found)
        interval = f"{ahead['value']:+.3f} ({ahead['low']:+.3f} to {ahead['high']:+.3f})"
        rows.append(f"| {name} | {one['documents']:,} | {found[0]['count']:,} | {values} | {interval} |")
    return rows + [
        f"Published for {name}: {system} {value:.3f} ({source})" for name, system, value, source in PUBLISHED
    ]


def print_set(name: str, figures: Mapping[str, Any]) -> None:
    """Print the measures of one set."""
    print(f"\n{name}: {figures['documents']:,} documents, {figures['chunks']:,} chunks")
    for system, measures in figures["systems"].items():
        for measure, found in measures.items():
            interval = f"{found['low']:.3f} to {found['high']:.3f}"
            print(f"  {system:28}{measure:22}{found['value']:.4f}  ({interval}, {found['count']} questions)")


if __name__ == "__main__":
    sys.exit(main())
