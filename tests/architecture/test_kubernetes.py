"""The Kubernetes manifests against the schemas of Kubernetes, KEDA, Knative and the Prometheus operator."""

import importlib
import json
import warnings
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from modulo.cli.worker import work
from tests.architecture.sources import ROOT

KUBERNETES = ROOT / "infra" / "kubernetes"
VERSIONS = ("1.31", "1.37")
"""The oldest and the newest Kubernetes that the manifests are written for."""
CUSTOM = {
    "keda.sh/v1alpha1": "keda.v1alpha1",
    "serving.knative.dev/v1": "knative_serving.serving.v1",
    "eventing.knative.dev/v1": "knative_eventing.eventing.v1",
    "monitoring.coreos.com/v1": "prometheus_operator.v1",
}
"""The modules with the models of custom resources."""
IMAGE = dict(
    line.split(" ", 1)
    for line in (ROOT / "Containerfile").read_text().splitlines()
    if line.startswith(("USER ", "EXPOSE ", "WORKDIR "))
)


def manifests() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{path.parent.name}/{path.name}: {document['kind']} {document['metadata']['name']}", document)
        for path in sorted(KUBERNETES.rglob("*.yaml"))
        if path.name not in ("kustomization.yaml", "prometheus-adapter.yaml")
        for document in yaml.safe_load_all(path.read_text())
    ]


MANIFESTS = manifests()
OWN = [(name, found) for name, found in MANIFESTS if found["apiVersion"] not in CUSTOM]
FOREIGN = [(name, found) for name, found in MANIFESTS if found["apiVersion"] in CUSTOM]


def ids(found: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [name for name, _ in found]


def pods() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The pod templates: their specification, and their labels."""
    found = []
    for name, document in MANIFESTS:
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template is not None:
            found.append((name, template["spec"], template.get("metadata", {}).get("labels", {})))
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", [found for _, found in OWN], ids=ids(OWN))
def test_what_kubernetes_defines_is_valid(document: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(document, version, strict=True).startswith(version)


@pytest.mark.parametrize("document", [found for _, found in FOREIGN], ids=ids(FOREIGN))
def test_what_others_define_is_valid(document: dict[str, Any]) -> None:
    """The models take unknown fields and drop them, so that what comes back is compared."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names of fields that shadow others
        models = importlib.import_module(f"cloudcoil.models.{CUSTOM[document['apiVersion']]}")
    read = getattr(models, document["kind"]).model_validate(document)
    assert json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)) == document


def test_unknown_fields_are_found() -> None:
    (document,) = [found for name, found in OWN if name.endswith("Job migrate")]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**document, "spec": {**document["spec"], "tries": 3}}, VERSIONS[0], strict=True)


@pytest.mark.parametrize(("name", "pod"), [(name, pod) for name, pod, _ in pods()])
def test_a_pod_runs_as_the_images_user_and_writes_to_tmp_only(name: str, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    user = {**pod.get("securityContext", {}), **container["securityContext"]}
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == IMAGE["USER"]
    assert user["runAsNonRoot"]
    assert user["readOnlyRootFilesystem"]
    assert user["capabilities"] == {"drop": ["ALL"]}
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert set(mounts) == {"/tmp", "/etc/modulo/certificates"}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert "emptyDir" in volumes[mounts["/tmp"]["name"]]


def test_workers_answer_probes_where_they_are_told_to_listen() -> None:
    assert "address" in work.__annotations__
    workers = [pod["containers"][0] for name, pod, _ in pods() if "workers.yaml" in name]
    assert workers
    for worker in workers:
        (port,) = worker["ports"]
        assert worker["command"][-4:] == ["--host", "0.0.0.0", "--port", str(port["containerPort"])]
        assert str(port["containerPort"]) in IMAGE["EXPOSE"].split()
        assert worker["livenessProbe"]["httpGet"] == {"path": "/live", "port": port["name"]}


def test_keda_reads_queues_as_the_workers() -> None:
    (found,) = [document for _, document in FOREIGN if document["kind"] == "TriggerAuthentication"]
    assert found["spec"]["podIdentity"]["identityOwner"] == "workload"


def test_no_pod_reaches_the_machines_credentials() -> None:
    (policy,) = [found for name, found in OWN if name.endswith("NetworkPolicy modulo")]
    (egress,) = policy["spec"]["egress"]
    assert [block["ipBlock"]["except"] for block in egress["to"]] == [["169.254.169.254/32"], ["fd00:ec2::254/128"]]
    assert policy["spec"]["podSelector"] == {}
    assert "ingress" not in policy["spec"]


def test_monitors_find_what_they_watch() -> None:
    monitors = {document["kind"]: document["spec"] for _, document in FOREIGN if "Monitor" in document["kind"]}
    service = next(found for name, found in OWN if name.endswith("Service serve"))
    assert monitors["ServiceMonitor"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitors["ServiceMonitor"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    (endpoint,) = monitors["PodMonitor"]["podMetricsEndpoints"]
    wanted = monitors["PodMonitor"]["selector"]["matchLabels"].items()
    for name, pod, labels in pods():
        if "workers.yaml" in name:
            assert wanted <= labels.items()
            assert endpoint["port"] in [port["name"] for port in pod["containers"][0]["ports"]]


def test_jobs_can_be_applied_again() -> None:
    (job,) = [found for name, found in OWN if found["kind"] == "Job"]
    assert job["spec"]["ttlSecondsAfterFinished"] <= 600


def test_kustomizations_name_everything() -> None:
    for folder in {Path(path).parent for path in KUBERNETES.rglob("*.yaml")}:
        assert (folder / "kustomization.yaml").is_file()
