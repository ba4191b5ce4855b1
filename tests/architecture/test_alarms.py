"""Every alarm reaches somebody, has a runbook, and watches a metric that exists."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from modulo.adapters.aws.emf_metrics import NAMESPACE, STACK
from modulo.ports.metrics import HELP
from tests.architecture.sources import ROOT, declared_routes, recorded_metrics, template
from tests.architecture.test_permissions import ANSWERERS

RUNBOOKS = ROOT / "docs" / "operations" / "alarms.md"
RULES = ROOT / "infra" / "prometheus" / "rules.yaml"
DASHBOARD = ROOT / "infra" / "dashboards" / "grafana.json"
EDGE = template("infra/edge_alarms.yaml")
SUFFIXES = {"count": ("",), "adjust": ("",), "observe": ("_bucket", "_sum", "_count")}
"""What Prometheus calls the series of a counter, a gauge and a histogram."""
OF_PROMETHEUS = {"up"}
NAME = re.compile(r"\b(?:up|(?:rag|llm|milvus)_[a-z_]+)\b")
LABELS = re.compile(r"(\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|on) ?\(([^)]*)\)")


def alarms() -> Iterator[tuple[str, dict[str, Any]]]:
    """The alarms of CloudWatch by logical id, or by its beginning where there is one for each function."""
    found = [*template("infra/observability.yaml")["Resources"].items(), *EDGE["Resources"].items()]
    for name, resource in found:
        made = resource[2] if name.startswith("Fn::ForEach") else {name: resource}
        for logical, one in made.items():
            if one["Type"] == "AWS::CloudWatch::Alarm":
                yield logical.removesuffix("&{Function}"), one["Properties"]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def anchor(alarm: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alarm).lower()


def text(value: Any) -> str:
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)


def watched(alarm: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """The namespace, name and dimensions of each metric of an alarm."""
    for one in alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}]):
        if "MetricStat" in one:
            metric = one["MetricStat"]["Metric"]
            yield metric["Namespace"], metric["MetricName"], metric.get("Dimensions", [])


def test_every_alarm_acts() -> None:
    topic = [{"Fn::If": ["OwnTopic", {"Ref": "Topic"}, {"Ref": "AlarmTopic"}]}]
    for name, alarm in alarms():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (topic, topic), name
        assert "TreatMissingData" in alarm, name


def test_both_modes_have_alarms() -> None:
    assert template()["Resources"]["Observability"]["Condition"] == "Alarmed"
    assert template()["Conditions"]["Alarmed"] == {"Fn::Equals": [{"Ref": "Alarms"}, "true"]}
    of_managed = {
        name
        for name, resource in template("infra/observability.yaml")["Resources"].items()
        if isinstance(resource, dict) and resource.get("Condition") == "Managed"
    }
    assert of_managed == {
        *("CacheFull", "CacheThrottled", "DatabaseFull", "ProxyBorrowSlow", "ProxyPinned", "ReplicaLagging"),
    }, "only what watches the stores of a managed deployment"


def test_cloudfront_is_watched_where_its_metrics_are() -> None:
    nested = template()["Resources"]["EdgeAlarms"]
    region = {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}
    assert template()["Conditions"][nested["Condition"]] == {
        "Fn::And": [{"Condition": "Edged"}, {"Condition": "Alarmed"}, region]
    }
    assert EDGE["Parameters"]["AlarmTopic"]["AllowedPattern"] == r"^(arn:aws[a-z-]*:sns:us-east-1:.+)?$"
    watched_functions = {
        text(one["Value"]).replace("${Prefix}", "${Name}").replace("${Region}", "${AWS::Region}")
        for _, alarm in alarms()
        for space, _, dimensions in watched(alarm)
        for one in dimensions
        if (space, one["Name"]) == ("AWS/CloudFront", "FunctionName")
    }
    made = template("infra/edge.yaml")["Resources"].values()
    assert watched_functions == {
        text(one["Properties"]["Name"]) for one in made if one["Type"] == "AWS::CloudFront::Function"
    }


def test_every_alarm_has_a_runbook_and_every_runbook_an_alarm() -> None:
    sections = re.split(r"^### ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    by_anchor = {section.partition("\n")[0].lower().replace(" ", "-"): section for section in sections}
    assert len(by_anchor) == len(sections)
    named = {name for name, _ in alarms()} | {rule["alert"] for rule in rules()}
    assert by_anchor.keys() == {anchor(name) for name in named}
    for name, section in by_anchor.items():
        assert re.findall(r"^- \*\*(\w+)\.\*\* ", section, re.MULTILINE) == ["Means", "Look", "Do"], name


def test_every_alarm_names_its_runbook() -> None:
    for name, alarm in alarms():
        assert text(alarm["AlarmDescription"]).endswith(f". Runbook: docs/operations/alarms.md#{anchor(name)}"), name
        assert text(alarm["AlarmName"]).startswith(f"${{Prefix}}-{name}"), name
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/operations/alarms.md#{anchor(rule['alert'])}"
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_alarms_watch_metrics_that_functions_record() -> None:
    recorded = recorded_metrics()
    all_watched = [one for _, alarm in alarms() for one in watched(alarm)]
    found = {metric: dimensions for space, metric, dimensions in all_watched if space == NAMESPACE}
    assert len(found) >= 5
    for metric, dimensions in found.items():
        kind, labels = recorded[metric]
        assert kind != "adjust", "functions keep no gauges"
        assert {one["Name"] for one in dimensions} == {STACK, *labels}, metric


def test_rules_and_dashboard_name_only_metrics_and_labels_that_exist() -> None:
    recorded = recorded_metrics()
    series = {name + suffix: set(labels) for name, (kind, labels) in recorded.items() for suffix in SUFFIXES[kind]}
    board = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(queries) > 15
    for query in (*queries, *(rule["expr"] for rule in rules())):
        names = set(NAME.findall(query))
        assert names, query
        assert names <= series.keys() | OF_PROMETHEUS, query
        for name, selected in LABELS.findall(query):
            labels = set(re.findall(r"(\w+)[=!]", selected))
            assert labels <= series.get(name, {"job"}), query
        grouped = {label.strip() for labels in GROUPED.findall(query) for label in labels.split(",")}
        assert grouped <= {"le", *(label for name in names for label in series.get(name, ()))}, query
    shown = {name for query in queries for name in NAME.findall(query)}
    stems = {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    unseen = {"rag_feedback_total", "rag_pages_recognised_total", "rag_reading_warnings_total"}
    assert set(HELP) - stems == {*unseen, "rag_sweeps_cut_short_total"}


def endpoint_labels() -> dict[str, set[str]]:
    """What requests are counted under in a server, by operation."""
    found: dict[str, set[str]] = {"mcp_exchange": {"/mcp", "/mcp/{collection}"}}
    for route in declared_routes():
        found.setdefault(route.operation, set()).add(route.path.removeprefix("/api"))
    return found


def alternatives(pattern: str) -> list[str]:
    """The parts of a pattern that each have to match something: those within its one pair of brackets alone."""
    inside = re.search(r"\(([^)]*)\)", pattern)
    if inside is None:
        return pattern.split("|")
    whole = pattern.replace(inside[0], "\0")
    several = [part.replace("\0", one) for part in whole.split("|") for one in inside[1].split("|")]
    return sorted(set(several))


def test_rules_select_endpoints_that_exist() -> None:
    labels = {label for each in endpoint_labels().values() for label in each}
    assert {"/health", "/v1/responses", "/collections"} <= labels
    patterns = [one for rule in rules() for one in re.findall(r'endpoint[=!]~"([^"]*)"', rule["expr"])]
    assert len(patterns) > 5
    for pattern in patterns:
        for part in alternatives(pattern):
            assert [label for label in labels if re.fullmatch(part, label)], (pattern, part)


def test_endpoints_that_answer_at_length_are_not_slow() -> None:
    (slow,) = [rule["expr"] for rule in rules() if rule["alert"] == "Slow"]
    left_out = re.search(r'endpoint!~"([^"]*)"', slow)
    assert left_out
    measured = {
        name for name, labels in endpoint_labels().items() for one in labels if not re.fullmatch(left_out[1], one)
    }
    assert measured & ANSWERERS == set()
    assert len(measured) > 60


def test_what_servers_count_raises_the_same_alarms() -> None:
    """But for what others count: Lambda, SQS, Scheduler and the managed stores have exporters of their own."""
    ours = {name for name, alarm in alarms() for space, *_ in watched(alarm) if space in (NAMESPACE, "AWS/ApiGateway")}
    assert ours <= {rule["alert"] for rule in rules()}
    assert {"V1ApiErrors", "SecretsFailing", "ModelThrottled"} <= ours


def test_panels_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)


def test_promtool_accepts_the_rules_and_their_tests(promtool: Path) -> None:
    tests = yaml.safe_load((RULES.parent / "tests.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in rules()}
    for command in (["check", "rules", RULES.name], ["test", "rules", "tests.yaml"]):
        done = subprocess.run(
            [promtool, *command], cwd=RULES.parent, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
