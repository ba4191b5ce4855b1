import json

from modulo.adapters.emf_metrics import EmfMetrics


def test_each_observation_is_one_line_that_cloudwatch_reads(capsys):
    metrics = EmfMetrics()
    metrics.count("rag_requests_total", status="200", endpoint="/search")
    metrics.observe("rag_search_latency_seconds", 0.25)
    counted, observed = map(json.loads, capsys.readouterr().out.splitlines())
    assert counted.pop("_aws")["CloudWatchMetrics"] == [
        {
            "Namespace": "Modulo",
            "Dimensions": [["status", "endpoint"]],
            "Metrics": [{"Name": "rag_requests_total", "Unit": "Count"}],
        }
    ]
    assert counted == {"status": "200", "endpoint": "/search", "rag_requests_total": 1}
    metadata = observed.pop("_aws")
    assert metadata["Timestamp"] > 1_700_000_000_000
    assert metadata["CloudWatchMetrics"][0]["Metrics"] == [{"Name": "rag_search_latency_seconds", "Unit": "Seconds"}]
    assert observed == {"rag_search_latency_seconds": 0.25}
