import json
from threading import Thread

import pytest

from modulo.adapters.aws.emf_metrics import MAX_VALUES, EmfMetrics


@pytest.fixture
def metrics() -> EmfMetrics:
    return EmfMetrics("staging")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_label_set_is_one_line_that_cloudwatch_reads(metrics, capsys):
    metrics.count("rag_requests_total", status="200", endpoint="/search")
    metrics.observe("rag_search_latency_seconds", 0.25, stage="rerank")
    metrics.observe("milvus_search_duration_seconds", 0.5)
    metrics.observe("milvus_search_duration_seconds", 0.75)
    metrics.count("rag_dead_letters_total", 2)
    assert capsys.readouterr().out == ""
    metrics.flush()
    requests, searches, others = lines(capsys)
    metadata = requests.pop("_aws")
    assert metadata["Timestamp"] > 1_700_000_000_000
    assert metadata["CloudWatchMetrics"] == [
        {
            "Namespace": "Modulo",
            "Dimensions": [["stack", "status", "endpoint"]],
            "Metrics": [{"Name": "rag_requests_total", "Unit": "Count"}],
        }
    ]
    assert requests == {"stack": "staging", "status": "200", "endpoint": "/search", "rag_requests_total": [1]}
    assert searches["rag_search_latency_seconds"] == [0.25]
    assert others.pop("_aws")["CloudWatchMetrics"] == [
        {
            "Namespace": "Modulo",
            "Dimensions": [["stack"]],
            "Metrics": [
                {"Name": "milvus_search_duration_seconds", "Unit": "Seconds"},
                {"Name": "rag_dead_letters_total", "Unit": "Count"},
            ],
        }
    ]
    assert others == {"stack": "staging", "milvus_search_duration_seconds": [0.5, 0.75], "rag_dead_letters_total": [2]}


def test_what_was_handed_over_is_not_handed_over_again(metrics, capsys):
    metrics.count("c")
    metrics.flush()
    metrics.flush()
    assert len(lines(capsys)) == 1
    metrics.count("c", 2)
    metrics.flush()
    assert [line["c"] for line in lines(capsys)] == [[2]]


def test_a_service_name_of_the_environment_adds_no_dimension(capsys, monkeypatch):
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "other")
    metrics = EmfMetrics("staging")
    metrics.count("c")
    metrics.flush()
    assert [line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for line in lines(capsys)] == [[["stack"]]]


def test_no_line_holds_more_than_cloudwatch_takes_and_none_is_lost(metrics, capsys):
    def count(number: int) -> None:
        for _ in range(number):
            metrics.count("c", kind="x")

    threads = [Thread(target=count, args=(250,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics.flush()
    sizes = [len(line["c"]) for line in lines(capsys)]
    assert sum(sizes) == 1_000
    assert max(sizes) <= MAX_VALUES
