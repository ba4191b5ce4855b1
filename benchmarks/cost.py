"""What does a search, an ingested page and an idle month cost on AWS?"""

import asyncio
import io
from contextlib import redirect_stdout

from benchmarks.cost_model import (
    KINDS,
    MILLION,
    PAGES,
    MeasuredUsage,
    always_on,
    idle,
    pages,
    search,
    total,
)
from benchmarks.cost_page import UNITS, inputs, tables
from benchmarks.deployments import DEPLOYMENTS, LITE, Deployment
from benchmarks.event_usage import EventMeter
from benchmarks.prices import REGION
from benchmarks.product import start_product
from benchmarks.report import Kind, Report, run_question


def measure(report: Report) -> None:
    """Measure every kind of event through its handler, then apply the prices."""
    asyncio.set_event_loop(asyncio.new_event_loop())  # what a function's runtime has
    with start_product(workers=()) as product:
        environment = {**product.environment, "METRICS": "emf", "SQLALCHEMY_POOL_SIZE": "1", "LOG_LEVEL": "ERROR"}
        with redirect_stdout(io.StringIO()):  # functions print their metrics
            measured = EventMeter(product, environment).measured()
    add_results(report, measured)


def add_results(report: Report, measured: MeasuredUsage) -> None:
    """Report the measured usage and its costs."""
    for key, value in inputs(measured).items():
        of: Kind = "time" if key.endswith("seconds") else "bytes"
        report.figure(f"cost.measured.{key}", value, UNITS[key.rpartition(".")[2]], of)
    for title, columns, rows in tables(measured):
        report.table(title, columns, rows)
    for one in DEPLOYMENTS:
        for kind in KINDS:
            value = total(search(measured, kind, one)) * MILLION
            report.figure(f"cost.{key_of(one)}.{kind}", value, "$ a million", "ratio", tolerance=0.5)
        ingested = total(pages(measured, one)) * PAGES
        report.figure(f"cost.{key_of(one)}.pages", ingested, "$ a thousand pages", "ratio", tolerance=0.5)
        report.figure(f"cost.{key_of(one)}.idle", total(idle(measured, one)), "$ a month", "ratio", tolerance=0.1)
    report.figure("cost.always_on.idle", total(always_on()), "$ a month", "ratio", tolerance=0.1)
    searches = [(label, total(search(measured, kind, LITE)) * MILLION) for kind, label in KINDS.items()]
    report.bars("A million searches, lite", "$", searches)
    unconfirmed = "the vCUs of a search in Zilliz Serverless could not be confirmed"
    report.note(f"List prices in {REGION} from secondary sources (prices.py); {unconfirmed}.")
    report.note("The assumptions are in infra/costs.md; `python -m benchmarks.cost_page` updates its tables.")


def key_of(deployment: Deployment) -> str:
    """The deployment's name in the keys of figures."""
    return deployment.name.replace(" ", "_").lower()


if __name__ == "__main__":
    run_question(measure)
