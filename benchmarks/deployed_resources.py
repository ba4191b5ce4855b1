"""What a deployment has of things that are billed by the month, counted in its templates."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from benchmarks.deployments import Deployment
from benchmarks.machine import ROOT

FOR_EACH = "Fn::ForEach"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """YAML whose tags of CloudFormation are left out: only their values matter here."""


def _value(loader: _Loader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _value)


@cache
def _resources(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / name).read_text(), Loader=_Loader)["Resources"]  # noqa: S506 - a safe one
    return found


def alarms(deployment: Deployment) -> int:
    """Metrics that alarms watch, as they are billed: one that computes with several is billed for each."""
    absent = {*(() if deployment.network else ("Managed",)), *(() if deployment.pushes else ("Pushes",))}
    watched = (alarm for alarm in _alarms() if alarm.get("Condition") not in absent)
    return sum(_metrics(alarm["Properties"]) for alarm in watched) if deployment.observed else 0


def endpoints() -> int:
    """Interface endpoints of a managed network, without one for Milvus."""
    found = _resources("infra/network.yaml").values()
    made = [one for one in found if one["Type"] == "AWS::EC2::VPCEndpoint" and "Condition" not in one]
    return sum(one["Properties"]["VpcEndpointType"] == "Interface" for one in made)


def queues(deployment: Deployment) -> int:
    """Queues that Lambda polls."""
    found = [one for one in _resources("template.yaml").values() if one["Type"] == "AWS::SQS::Queue"]
    return sum(deployment.pushes or one.get("Condition") != "SocketsServed" for one in found)


def _alarms() -> Iterator[dict[str, Any]]:
    for name, resource in _resources("infra/observability.yaml").items():
        made = resource[2].values() if name.startswith(FOR_EACH) else [resource]
        times = len(resource[1]) if name.startswith(FOR_EACH) else 1
        for one in made:
            if one["Type"] == "AWS::CloudWatch::Alarm":
                yield from [one] * times


def _metrics(alarm: dict[str, Any]) -> int:
    return sum("MetricStat" in one for one in alarm["Metrics"]) if "Metrics" in alarm else 1
