"""The nested stacks of a managed deployment on an emulator: the network, the database, and its proxy by RDS' own API.

MiniStack makes most of them from CloudFormation, and answers "Unrecognized resource types" to the rest. It runs no
Aurora and routes nothing: this shows that what the templates say is taken, and that what they refer to is there.
"""

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from modulo.cli.deploy import Cloud
from modulo.cli.stack import ministack
from tests.architecture.sources import template
from tests.servers import serving

SERVICES = ",ec2,rds,route53,secretsmanager"
HOST = "milvus.example.org"
OF_THE_PROXY = ("AWS::RDS::DBProxy", "AWS::RDS::DBProxyTargetGroup", "AWS::RDS::DBProxyEndpoint")
UNSUPPORTED = {*OF_THE_PROXY, "AWS::ElastiCache::ServerlessCache"}
"""What the emulator makes no resource of."""
OWNERS = "Cluster.MasterUserSecret.SecretArn"
"""An attribute that the emulator's clusters lack: it keeps no passwords."""
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:rds-1"


class Formation:
    """CloudFormation of the emulator."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.client = cloud.client("cloudformation")

    def make(self, name: str, source: Mapping[str, Any], **parameters: str) -> str:
        """Make a stack; how that ended."""
        self.client.create_stack(
            StackName=name,
            TemplateBody=json.dumps(source),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        give_up = time.monotonic() + 120
        while (status := self._stack(name)["StackStatus"]).endswith("IN_PROGRESS"):
            assert time.monotonic() < give_up, status
            time.sleep(0.1)
        return str(status)

    def outputs(self, name: str) -> dict[str, str]:
        return {one["OutputKey"]: one["OutputValue"] for one in self._stack(name)["Outputs"]}

    def resources(self, name: str) -> dict[str, str]:
        """Physical ids by logical id."""
        found = self.client.describe_stack_resources(StackName=name)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    def reasons(self, name: str) -> set[str]:
        """What the emulator said of resources that it did not make."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"]
        return {one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "CREATE_FAILED"}

    def _stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        return found


@pytest.fixture(scope="module")
def formation() -> Iterator[Formation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ministack, "SERVICES", ministack.SERVICES + SERVICES)
        with serving("ministack") as environment:
            yield Formation(Cloud(environment))


@pytest.fixture(scope="module")
def network(formation: Formation) -> dict[str, str]:
    """What the network tells the other stacks. The emulator gives no name to the endpoint that leads to Milvus."""
    source = template("infra/network.yaml")
    made, told = ({**source[part]} for part in ("Resources", "Outputs"))
    del made["MilvusAddress"], told["MilvusEndpoint"]
    status = formation.make(
        "network",
        {**source, "Resources": made, "Outputs": told},
        MilvusEndpointService="com.amazonaws.vpce.us-east-1.vpce-svc-1",
        MilvusHost=HOST,
    )
    assert status == "CREATE_COMPLETE", formation.reasons("network")
    return formation.outputs("network")


@pytest.fixture(scope="module")
def given(network: dict[str, str]) -> dict[str, str]:
    """The parameters of the stores."""
    return {
        "Name": "modulo",
        "Scale": "1K-10K",
        "Vpc": network["Vpc"],
        "Subnets": network["PrivateSubnets"],
        "FunctionSecurityGroup": network["FunctionSecurityGroup"],
    }


@pytest.fixture(scope="module")
def data(formation: Formation, given: dict[str, str]) -> dict[str, str]:
    """The stores' resources by logical id, as far as the emulator makes them."""
    source = template("infra/data.yaml")
    kept = {
        name: filled(one, {OWNERS: SECRET})
        for name, one in source["Resources"].items()
        if one["Type"] not in UNSUPPORTED
    }
    status = formation.make("data", {**source, "Resources": kept, "Outputs": {}}, **given)
    assert status == "CREATE_COMPLETE", formation.reasons("data")
    return formation.resources("data")


def test_a_network_has_two_zones_and_an_endpoint_for_each_service(
    formation: Formation, network: dict[str, str]
) -> None:
    ec2 = formation.cloud.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=network["PrivateSubnets"].split(","))["Subnets"]
    assert len({one["AvailabilityZone"] for one in subnets}) == len({one["CidrBlock"] for one in subnets}) == 2
    assert {one["VpcId"] for one in subnets} == {network["Vpc"]}
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    services = {one["ServiceName"].rpartition(".")[2] for one in endpoints}
    assert services == {"s3", "sqs", "bedrock-runtime", "secretsmanager", "vpce-svc-1"}
    zones = formation.cloud.client("route53").list_hosted_zones()["HostedZones"]
    assert [one["Name"].rstrip(".") for one in zones] == [HOST]


def test_the_emulator_lacks_what_is_said_of_it(formation: Formation) -> None:
    """Once it does not, the whole template is to be made here."""
    for kind in UNSUPPORTED:
        with pytest.raises(ClientError, match=f"Unrecognized resource types: .{kind}."):
            formation.make("lacking", {"Resources": {"Alone": {"Type": kind, "Properties": {}}}})
    kinds = {one["Type"] for one in template("infra/data.yaml")["Resources"].values()}
    assert kinds > UNSUPPORTED


def test_a_database_has_a_writer_and_replicas_and_takes_tls_alone(formation: Formation, data: dict[str, str]) -> None:
    rds = formation.cloud.client("rds")
    (cluster,) = rds.describe_db_clusters()["DBClusters"]
    assert cluster["DBClusterIdentifier"] == data["Cluster"]
    assert len(cluster["DBClusterMembers"]) == 3
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True
    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 2.0, "MaxCapacity": 64.0}


def test_rds_takes_the_proxy_and_its_reader(
    formation: Formation, network: dict[str, str], given: dict[str, str], data: dict[str, str]
) -> None:
    """As their API does, which checks names, members and numbers; CloudFormation sends it the same."""
    rds, iam = (formation.cloud.client(name) for name in ("rds", "iam"))
    role = iam.get_role(RoleName=data["ProxyRole"])["Role"]["Arn"]
    known: dict[str, Any] = {
        **data,
        **given,
        "Subnets": network["PrivateSubnets"].split(","),
        "ProxyRole.Arn": role,
        OWNERS: SECRET,
        "Proxy": given["Name"],
    }
    made = {one["Type"]: filled(one["Properties"], known) for one in template("infra/data.yaml")["Resources"].values()}
    proxy, targets, reader = (made[kind] for kind in OF_THE_PROXY)
    rds.create_db_proxy(**proxy)
    rds.modify_db_proxy_target_group(
        DBProxyName=targets["DBProxyName"],
        TargetGroupName=targets["TargetGroupName"],
        ConnectionPoolConfig=targets["ConnectionPoolConfigurationInfo"],
    )
    rds.register_db_proxy_targets(
        DBProxyName=targets["DBProxyName"], DBClusterIdentifiers=targets["DBClusterIdentifiers"]
    )
    rds.create_db_proxy_endpoint(**reader)
    (found,) = rds.describe_db_proxies(DBProxyName="modulo")["DBProxies"]
    assert (found["RequireTLS"], {one["IAMAuth"] for one in found["Auth"]}) == (True, {"REQUIRED"})
    assert data["FunctionsSecret"] in {one["SecretArn"] for one in found["Auth"]}
    registered = rds.describe_db_proxy_targets(DBProxyName="modulo")["Targets"]
    assert data["Cluster"] in {one.get("RdsResourceId") for one in registered}
    endpoints = rds.describe_db_proxy_endpoints(DBProxyName="modulo")["DBProxyEndpoints"]
    assert {one["DBProxyEndpointName"]: one["TargetRole"] for one in endpoints}["modulo-reader"] == "READ_ONLY"


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """A part of a template with what it refers to filled in."""
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return known.get(value["Ref"], value)
    if "Fn::GetAtt" in value:
        return known.get(".".join(value["Fn::GetAtt"]), value)
    if "Fn::Sub" in value and "Name" in known:
        return value["Fn::Sub"].replace("${Name}", str(known["Name"]))
    return {name: filled(one, known) for name, one in value.items()}
