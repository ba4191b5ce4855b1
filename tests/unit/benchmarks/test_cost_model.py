"""The cost model, and the generated page of costs."""

from dataclasses import replace

import pytest

from benchmarks import cost_page
from benchmarks.cost_model import (
    KINDS,
    MeasuredUsage,
    Usage,
    always_on,
    billed_seconds,
    break_even,
    edge,
    idle,
    largest,
    merged,
    metrics_in_use,
    models_only,
    pages,
    search,
    total,
)
from benchmarks.deployed_resources import alarms, endpoints, queues
from benchmarks.deployments import DEPLOYMENTS, LITE, SCALE_1K
from benchmarks.prices import HOURS, PRICES, dollars
from tests.architecture.sources import deployed_routes

BARE = Usage(cpu_seconds=0, wait_seconds=0, database_seconds=0)
MEASURED = MeasuredUsage(
    cached=replace(BARE, cpu_seconds=0.002, answer_kb=4, cache_kb=6),
    retrieval=replace(BARE, cpu_seconds=0.005, wait_seconds=0.02, vector_reads=1, embedded_tokens=15),
    answer=replace(BARE, wait_seconds=1, vector_reads=1, prompt_tokens=2_000, answer_tokens=100),
    upload=replace(BARE, cpu_seconds=0.01),
    ingest=replace(BARE, cpu_seconds=0.5, wait_seconds=2, vector_kb=100, embedded_tokens=10_000),
    sweep=replace(BARE, cpu_seconds=0.002, metrics=4),
    search_cold_seconds=1,
    ingest_cold_seconds=1,
    pages_a_file=20,
    search_mb=1024,
    ingest_mb=2048,
    other_mb=512,
)


def line(lines: list[tuple[str, float]], name: str) -> float:
    return dict(lines)[name]


def test_a_function_with_half_a_processor_computes_twice_as_long_and_waits_no_longer() -> None:
    usage = replace(BARE, cpu_seconds=1, wait_seconds=1)
    assert billed_seconds(usage, 1769 / 2) == pytest.approx(3)
    assert billed_seconds(usage, 4096) == 2


def test_a_search_pays_by_hand_what_the_model_says() -> None:
    found = search(MEASURED, "retrieval", LITE)
    assert line(found, "API Gateway") == pytest.approx(3.5e-6)
    assert line(found, "vector store") == pytest.approx(15 * 4e-6)
    assert line(found, "embedding model") == pytest.approx(15 * 0.02e-6)
    assert line(found, "function, waiting") == pytest.approx(0.02 * 0.0000133334)
    assert line(found, "function, computing") == pytest.approx(0.005 * 1769 / 1024 * 0.0000133334)
    assert line(found, "cold starts") == pytest.approx(0.01 * 1769 / 1024 * 0.0000133334)


def test_what_a_deployment_has_decides_what_is_paid_for() -> None:
    lite, scale = (search(MEASURED, "cached", one) for one in (LITE, SCALE_1K))
    assert "cache" not in dict(lite)
    assert line(scale, "cache") == pytest.approx(6 * 0.0023e-6)
    assert "vector store" not in dict(search(MEASURED, "retrieval", SCALE_1K))
    assert "cold starts" not in dict(scale)


def test_cloudfront_costs_its_requests_and_saves_a_little_of_what_leaves_the_region() -> None:
    usage = replace(BARE, answer_kb=1024**2)
    assert edge(usage) == [("CloudFront", pytest.approx(1e-6 + 0.085 - 0.09))]
    assert edge(BARE) == [("CloudFront", pytest.approx(1e-6))]


def test_pages_share_their_file() -> None:
    whole, half = (pages(replace(MEASURED, pages_a_file=count), LITE) for count in (20, 40))
    assert total(whole) == pytest.approx(2 * total(half))
    assert line(whole, "SQS") == pytest.approx(3 * 0.4e-6 / 20)
    assert line(whole, "vector store") == pytest.approx(100 * 0.25 * 4e-6 / 20)


def test_an_idle_month_pays_for_what_always_runs() -> None:
    lite, scale = idle(MEASURED, LITE), idle(MEASURED, SCALE_1K)
    assert line(lite, "Aurora") == pytest.approx(0.5 * 0.12 * HOURS * 1.5 * 375 / 3_600 + 1)
    assert line(idle(MEASURED, replace(LITE, sleeps=False)), "Aurora") == pytest.approx(0.5 * 0.12 * HOURS + 1)
    polled, asked = 5 * HOURS * 3_600 / 20 * 5, 4 * HOURS * 60
    assert line(lite, "SQS") == pytest.approx((polled + asked) * 0.4e-6)
    assert line(scale, "SQS") == pytest.approx(polled * 0.4e-6)
    assert line(scale, "RDS Proxy") == pytest.approx(8 * 0.015 * HOURS)
    assert "RDS Proxy" not in dict(lite)
    assert line(scale, "vector store") == pytest.approx(0.248 * HOURS)
    assert line(scale, "NAT") == pytest.approx((0.045 + 0.005) * HOURS)
    assert "NAT" not in dict(idle(MEASURED, replace(SCALE_1K, internet=False)))
    assert line(scale, "secrets") == pytest.approx(3 * 0.4)
    assert total(lite) < total(scale)


def test_all_that_the_templates_have_is_counted() -> None:
    functions = len(list((cost_page.ROOT / "functions").glob("*/app.py")))
    counted = alarms(SCALE_1K)
    assert counted > 2 * functions, "errors and throttles of each"
    assert line(idle(MEASURED, SCALE_1K), "alarms and dashboard") == pytest.approx(counted * 0.1 + 3)
    assert alarms(LITE) == 0
    given = replace(SCALE_1K, network=False)
    assert counted - alarms(given) == 6, "those of the managed stores"
    assert alarms(given) - alarms(replace(given, pushes=False)) == 1
    assert endpoints() == 3
    assert (queues(LITE), queues(replace(LITE, pushes=False))) == (5, 4)


def test_a_month_with_requests_pays_for_metrics() -> None:
    found = metrics_in_use(MEASURED)
    assert line(found, "API Gateway's detailed metrics") == pytest.approx(5 * 20 * 0.3)
    assert line(found, "metrics of functions") == pytest.approx((60 - 4) * 0.3)
    called = deployed_routes("get", "post", "put", "patch", "delete")
    page = " ".join((cost_page.ROOT / "infra" / "costs.md").read_text().split())
    assert 85 <= len(called) < 95, "some ninety, as the page says"
    assert f"taken as 20 of some ninety. Where all ninety are called, those are ${90 * 5 * 0.3:.0f}" in page


def test_searches_break_even_with_containers_where_both_months_cost_the_same() -> None:
    count = break_even(MEASURED, "retrieval", LITE)
    a_search = total(search(MEASURED, "retrieval", LITE)) - models_only(MEASURED, "retrieval")
    month = total(idle(MEASURED, replace(LITE, sleeps=False))) + total(metrics_in_use(MEASURED))
    assert month + count * a_search == pytest.approx(total(always_on()))
    assert break_even(MEASURED, "retrieval", replace(LITE, database=(64.0,))) == 0


def test_lines_are_added_up_and_told_by_their_shares() -> None:
    lines = merged([("a", 1.0), ("b", 2.0), ("a", 1.5), ("c", 0.0)])
    assert lines == [("a", 2.5), ("b", 2.0)]
    assert largest(lines, 1) == "a 56%"


def test_every_price_tells_its_unit_source_and_date() -> None:
    for name, price in PRICES.items():
        assert price.dollars > 0, name
        assert price.unit, name
        assert price.source, name
        assert price.date, name
    assert dollars("sqs_request", 1_000_000) == pytest.approx(0.4)


def test_what_was_measured_survives_the_page() -> None:
    assert cost_page.read(cost_page.computed(MEASURED)) == MEASURED


def test_the_page_shows_what_the_model_makes_of_its_own_measurements() -> None:
    page = cost_page.PAGE.read_text()
    assert cost_page.replaced(page, cost_page.read(page)) == page
    for one in DEPLOYMENTS:
        assert page.count(f"| {one.name} |") > len(KINDS)
