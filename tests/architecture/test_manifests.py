"""The nested templates, Kubernetes and Milvus: well-formed, and true to the architecture document's figures."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
import yaml

from modulo.domain.files.file import FileRef
from modulo.domain.operations.messages import IngestRequest
from modulo.runtime import cloudevents
from modulo.runtime.events import uploads
from modulo.runtime.worker import QUEUES
from modulo.settings import Settings
from tests.architecture.sources import ROOT, resources, template

KUBERNETES = ROOT / "infra" / "kubernetes"
MILVUS = ROOT / "infra" / "milvus"
MANIFESTS = sorted(path for path in KUBERNETES.rglob("*.yaml") if path.name not in ("kustomization.yaml",))
NESTED = sorted(resources("AWS::CloudFormation::Stack"))
REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 1)
SCALES = ["1-100", "100-1K", "1K-10K", "over-10K"]


def documents(path: Any) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def of_kind(path: Any, kind: str) -> list[dict[str, Any]]:
    return [document for document in documents(path) if document.get("kind") == kind]


@pytest.mark.parametrize("name", NESTED)
def test_nested_templates_get_what_they_ask_for(name: str) -> None:
    given = template()["Resources"][name]["Properties"]
    asked = template(given["TemplateURL"])["Parameters"]
    assert set(given["Parameters"]) <= set(asked)
    assert {key for key, value in asked.items() if "Default" not in value} <= set(given["Parameters"])


@pytest.mark.parametrize("name", NESTED)
def test_outputs_that_are_read_exist(name: str) -> None:
    read = set(re.findall(rf"\b{name}\.Outputs\.(\w+)", (ROOT / "template.yaml").read_text()))
    made = template(template()["Resources"][name]["Properties"]["TemplateURL"])
    assert read <= set(made.get("Outputs", {}))


def test_the_dashboard_is_json() -> None:
    body = template("infra/observability.yaml")["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    assert len(json.loads(body["Fn::Sub"])["widgets"]) == 6


def test_every_scale_is_mapped() -> None:
    assert template()["Parameters"]["Scale"]["AllowedValues"] == SCALES
    assert list(template()["Mappings"]["Scales"]) == SCALES
    data = template("infra/data.yaml")
    assert list(data["Mappings"]["Scales"]) == data["Parameters"]["Scale"]["AllowedValues"] == SCALES
    assert [row["Replicas"] for row in data["Mappings"]["Scales"].values()] == [0, 1, 2, 2]
    warm = template("infra/autoscaling.yaml")
    assert list(warm["Mappings"]["Scales"]) == warm["Parameters"]["Scale"]["AllowedValues"] == SCALES[1:]
    assert [row["Min"] // 4 for row in warm["Mappings"]["Scales"].values()] == [2, 4, 10]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_manifests_are_manifests(path: Any) -> None:
    if path.name == "prometheus-adapter.yaml":
        (rule,) = documents(path)[0]["rules"]["custom"]
        assert rule["name"]["as"] == "rag_requests_per_second"
        return
    for document in documents(path):
        assert {"apiVersion", "kind", "metadata"} <= set(document)
    listed = documents(path.parent / "kustomization.yaml")[0]["resources"]
    assert path.name in listed


def test_kustomizations_name_files() -> None:
    for path in KUBERNETES.rglob("kustomization.yaml"):
        for entry in documents(path)[0]["resources"]:
            assert (path.parent / entry).exists(), f"{path}: {entry}"


def test_the_autoscaler_has_the_documents_figures() -> None:
    (autoscaler,) = of_kind(KUBERNETES / "autoscaled" / "autoscaler.yaml", "HorizontalPodAutoscaler")
    spec = autoscaler["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    cpu, memory, requests = spec["metrics"]
    assert cpu["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}
    assert memory["resource"] == {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 80}}
    assert requests["pods"]["metric"]["name"] == "rag_requests_per_second"
    assert requests["pods"]["target"]["averageValue"] == "100"


def test_knative_has_the_same_figures() -> None:
    (service,) = of_kind(KUBERNETES / "knative" / "serve.yaml", "Service")
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    read = [annotations[f"autoscaling.knative.dev/{key}"] for key in ("metric", "target", "min-scale", "max-scale")]
    assert read == ["rps", "100", "2", "10"]


def test_each_queue_has_its_workers() -> None:
    path = KUBERNETES / "base" / "workers.yaml"
    containers = [deployment["spec"]["template"]["spec"]["containers"][0] for deployment in of_kind(path, "Deployment")]
    needless = {"push_events"}  # only needed with API Gateway WebSockets; here `serve` pushes
    assert {container["command"][2] for container in containers} == set(QUEUES) - needless
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["triggers"][0]["metadata"]["queueURLFromEnv"]
        for scaler in of_kind(path, "ScaledObject")
    }
    assert scaled == {
        "ingest-file": "INGEST_QUEUE_URL",
        "fetch-url": "FETCH_QUEUE_URL",
        "purge": "PURGE_QUEUE_URL",
        "record-dead-letter": "DEAD_LETTERS_QUEUE_URL",
    }


def test_the_trigger_ends_where_events_are_taken() -> None:
    (trigger,) = of_kind(KUBERNETES / "knative" / "events.yaml", "Trigger")
    (served,) = of_kind(KUBERNETES / "knative" / "serve.yaml", "Service")
    subscriber = trigger["spec"]["subscriber"]
    (route,) = cloudevents.router.routes
    assert (subscriber["ref"]["kind"], subscriber["ref"]["name"]) == (served["kind"], served["metadata"]["name"])
    assert subscriber["ref"]["apiVersion"] == served["apiVersion"]
    assert subscriber["uri"] == getattr(route, "path", None)
    assert subscriber["audience"], "without one no token is sent"
    (filters,) = trigger["spec"]["filters"]
    for entry in filters["any"]:
        ((kind, match),) = entry.items()
        record = {"s3": {"object": {"key": REF.key}}}
        event = {"specversion": "1.0", "type": match["type"] + ("Put" if kind == "prefix" else ""), "data": record}
        assert uploads(event) == [IngestRequest(REF)]


def test_kubernetes_sets_settings() -> None:
    lines = (KUBERNETES / "base" / "settings.env").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert names - {"AWS_REGION"} <= {field.upper() for field in Settings.model_fields}


def test_milvus_has_the_documents_nodes() -> None:
    values = {path.stem: documents(path)[0] for path in MILVUS.glob("*.yaml")}
    assert values["standalone"]["cluster"] == {"enabled": False}
    cluster = values["cluster"]
    assert (cluster["queryNode"]["replicas"], cluster["dataNode"]["replicas"]) == (2, 2)
    assert values["large"]["queryNode"]["hpa"]["minReplicas"] >= 4
    assert values["large"]["dataNode"]["replicas"] >= 4
    for name in ("standalone", "cluster"):
        server = yaml.safe_load(values[name]["extraConfigFiles"]["user.yaml"])
        assert server["common"]["security"]["authorizationEnabled"] is True
