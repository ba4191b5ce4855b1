"""The deployments whose costs are compared."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deployment:
    """One way to deploy the template."""

    name: str
    database: tuple[float, ...]
    """Minimum capacity of each database instance, in ACU."""
    network: bool
    """Whether functions run in a VPC, with RDS Proxy and private endpoints."""
    cached: bool
    """Whether there is a shared cache."""
    kept_warm: int
    """Number of `search` environments with provisioned concurrency."""
    vector_units: int
    """CUs of a dedicated Milvus cluster; 0 for a serverless one."""
    observed: bool
    """Whether it has alarms and a dashboard."""
    pushes: bool
    """Whether WebSockets are served, whose queue is polled."""
    internet: bool
    """Whether a network has NAT: for a token issuer, WebSockets, files by URL, or a Milvus without an endpoint."""
    secrets: int
    """Kept in Secrets Manager."""
    sleeps: bool = False
    """Whether the database pauses while idle."""


LITE = Deployment(
    "lite",
    database=(0.5,),
    sleeps=True,
    network=False,
    cached=False,
    kept_warm=0,
    vector_units=0,
    observed=False,
    pushes=True,
    internet=False,
    secrets=2,
)
"""`Infrastructure=given SweepRestSeconds=3600 Alarms=false`: functions outside a VPC, secrets of the database and of
Milvus, Aurora Serverless v2 that pauses, on a public address without a proxy, a cache in each environment, Zilliz
Serverless."""
SCALE_1K = Deployment(
    "scale 100-1K",
    database=(1, 1),
    network=True,
    cached=True,
    kept_warm=8,
    vector_units=1,
    observed=True,
    pushes=True,
    internet=True,
    secrets=3,
)
"""`Infrastructure=managed Scale=100-1K InternetAccess=true`: a writer and a replica behind RDS Proxy, ElastiCache
Serverless, 8 environments of `search` kept warm, Zilliz Dedicated with 1 CU."""
SCALE_10K = Deployment(
    "scale 1K-10K",
    database=(2, 2, 2),
    network=True,
    cached=True,
    kept_warm=16,
    vector_units=4,
    observed=True,
    pushes=True,
    internet=True,
    secrets=3,
)
"""`Infrastructure=managed Scale=1K-10K InternetAccess=true`: a writer and two replicas, 16 environments of `search`
kept warm, Zilliz Dedicated with 2 CU twice."""
DEPLOYMENTS = (LITE, SCALE_1K, SCALE_10K)
COMPARED = (LITE, SCALE_1K)
"""Deployments for as many users as the always-on containers, which they are compared with."""
