"""On-demand list prices of AWS and Zilliz in us-east-1, without free tiers and discounts."""

from collections.abc import Mapping
from dataclasses import dataclass

REGION = "us-east-1"
HOURS = 730
"""Hours in a month."""


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for one unit, as stated by `source` at `date`. None was verified on AWS's own price pages."""

    dollars: float
    unit: str
    source: str
    date: str


PRICES: Mapping[str, Price] = {
    "lambda": Price(0.0000133334, "GB-second, arm64", "AWS price list, as cloudchipr.com quotes it", "2024"),
    "lambda_warm": Price(0.0000033334, "GB-second kept warm, arm64", "public repositories, of us-east-1", "undated"),
    "lambda_warm_run": Price(
        0.0000077778, "GB-second run in what is kept warm, arm64", "public repositories, of us-east-1", "undated"
    ),
    "lambda_request": Price(0.20e-6, "invocation", "AWS Pricing API, as a public repository quotes it", "2025-10"),
    "api_request": Price(3.50e-6, "request, REST", "docs.aws.amazon.com, best practices for private APIs", "undated"),
    "sqs_request": Price(0.40e-6, "request, standard queue", "cloudburn.io", "2026-03"),
    "s3_put": Price(0.005e-3, "PUT, POST, LIST", "devnotes.tech", "undated"),
    "s3_get": Price(0.0004e-3, "GET, HEAD", "devnotes.tech", "undated"),
    "s3_storage": Price(0.023, "GB-month, Standard", "devnotes.tech", "undated"),
    "scheduler": Price(1.00e-6, "invocation, EventBridge Scheduler", "cloudburn.io", "2026-03"),
    "logs": Price(0.50, "GB taken in, CloudWatch Logs", "factualminds.com", "2026-06"),
    "metric": Price(0.30, "metric-month, with one set of labels", "signoz.io", "2026-02"),
    "alarm": Price(0.10, "alarm-month", "c3x.dev", "undated"),
    "dashboard": Price(3.00, "dashboard-month", "factualminds.com", "2026-06"),
    "data_out": Price(0.09, "GB to the internet", "awsforengineers.com", "2025-05"),
    "edge_request": Price(1.00e-6, "request, CloudFront, HTTPS", "kindatechnical.com", "undated"),
    "edge_out": Price(0.085, "GB from CloudFront, North America and Europe", "aws.amazon.com, a copy", "undated"),
    "aurora_acu": Price(0.12, "ACU-hour, Aurora Serverless v2", "pinpole.cloud", "2026"),
    "aurora_storage": Price(0.10, "GB-month, Aurora", "awsnegotiations.com", "2026-05"),
    "aurora_io": Price(0.20e-6, "I/O request, Aurora Standard", "jusdb.com", "undated"),
    "rds_proxy": Price(0.015, "ACU-hour of the database, 8 at least", "sst.dev, component Aurora", "undated"),
    "public_address": Price(
        0.005, "hour of a public IPv4 address", "aws.amazon.com and doit.com, of its introduction", "2024-02"
    ),
    "endpoint": Price(0.01, "hour of an interface endpoint in a zone", "cloudcostkit.com", "2026-01"),
    "nat": Price(0.045, "hour of a NAT gateway", "zeonedge.com", "2026-04"),
    "secret": Price(0.40, "secret-month", "AWS price list, as a repository quotes it", "2026-10"),
    "valkey_storage": Price(
        0.084, "GB-hour, 0.1 GB at least, ElastiCache Serverless for Valkey", "usage.ai", "2026-06"
    ),
    "valkey_ecpu": Price(0.0023e-6, "ECPU: a kilobyte", "usage.ai", "2026-06"),
    "valkey_node": Price(
        0.0128, "hour of cache.t4g.micro, Valkey", "AWS price list, as a repository quotes it", "2026-10"
    ),
    "zilliz_vcu": Price(4.00e-6, "vCU, Zilliz Cloud Serverless", "docs.zilliz.com, serverless cluster cost", "undated"),
    "zilliz_cu": Price(0.248, "CU-hour, Dedicated Enterprise", "docs.zilliz.com, dedicated cluster cost", "undated"),
    "titan_embed": Price(0.02e-6, "token, Titan Text Embeddings V2", "openrouter.ai", "2026-10"),
    "cohere_embed": Price(0.12e-6, "token, Cohere Embed 4", "getmaxim.ai", "undated"),
    "nova_input": Price(0.035e-6, "token read, Nova Micro", "AWS price list, as api-evangelist quotes it", "2026-09"),
    "nova_output": Price(
        0.14e-6, "token written, Nova Micro", "AWS price list, as api-evangelist quotes it", "2026-09"
    ),
    "fargate_cpu": Price(0.03238, "vCPU-hour, Fargate arm64", "vantage.sh", "undated"),
    "fargate_memory": Price(0.00356, "GB-hour, Fargate arm64", "vantage.sh", "undated"),
    "postgres_instance": Price(0.168, "hour of db.m7g.large", "public repositories, of us-east-1", "undated"),
    "postgres_storage": Price(0.115, "GB-month, RDS gp3", "usage.ai", "2026-06"),
    "volume": Price(0.08, "GB-month, EBS gp3", "public repositories, of us-east-1", "undated"),
    "balancer": Price(0.0225, "hour of a load balancer, without LCUs", "awsnegotiations.com", "2026-05"),
}


def dollars(name: str, units: float) -> float:
    """The cost of this many units, in dollars."""
    return PRICES[name].dollars * units
