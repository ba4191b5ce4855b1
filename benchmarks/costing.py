"""From what events take to what they cost: pure functions of measured usage, list prices and a deployment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.prices import HOURS, dollars

KB_OF_GB = 1024**2
MILLION = 1_000_000
PAGES = 1_000
VCPU_MEGABYTES = 1_769
"""A function with so much memory has one processor, one with less has less of it."""
ACU_PROCESSORS = 0.25
COLD_SHARE = 0.01
"""Of all invocations, those that start an environment: AWS tells less than that."""
GENERATED_A_SECOND = 100
"""Tokens that a small language model writes."""
PLATFORM_LOG_KB = 0.7
"""What Lambda and API Gateway log of an invocation themselves."""
READ_VCU = 15
"""Of a search in Zilliz Serverless; it depends on how much is scanned."""
WRITTEN_VCU = 0.25
"""Of a kilobyte written to Zilliz Serverless."""
PROXY_ACU = 8
"""RDS Proxy is paid for so many at least."""
STORED_GB = 10
"""Of uploads and of rows, which an idle deployment keeps."""
QUEUES = 4
REQUESTS_AN_EMPTY_QUEUE = HOURS * 3_600 / 20 * 5
"""A month of Lambda's five pollers, each asking every 20 seconds."""
AWAKENINGS_AN_HOUR = 1.5
"""Of a database that sleeps: sweeps rest for an hour, and not in an environment that is new, as one is every two."""
AWAKE_SECONDS = 15 + 60 + 300
"""After each of them: to wake up, until the idle connection is ended, and until Aurora pauses."""

Line = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one event takes: seconds on one processor, seconds of waiting, kilobytes and tokens."""

    cpu_seconds: float
    wait_seconds: float
    database_seconds: float
    database_writes: float = 0
    cache_kb: float = 0
    vector_reads: float = 0
    vector_kb: float = 0
    embedded_tokens: float = 0
    prompt_tokens: float = 0
    answer_tokens: float = 0
    answer_kb: float = 0
    log_kb: float = 0
    metrics: float = 0
    """How many different ones it keeps alive, each paid for by the hour."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Usage of each kind of event, seconds of the processor until a new environment has answered, and memory in MB."""

    cached: Usage
    retrieval: Usage
    answer: Usage
    upload: Usage
    ingest: Usage
    sweep: Usage
    search_cold_seconds: float
    ingest_cold_seconds: float
    pages_a_file: float
    search_mb: float
    ingest_mb: float
    other_mb: float


@dataclass(frozen=True, slots=True)
class Deployment:
    """One way to deploy the template; instances of the database are given by their smallest capacity in ACU."""

    name: str
    told: str
    database: tuple[float, ...]
    network: bool
    cached: bool
    kept_warm: int
    vector_units: int
    """CUs of a dedicated cluster; 0 for a serverless one."""
    observed: bool
    sleeps: bool = False
    """Whether the database pauses while nothing is asked of it."""


LITE = Deployment(
    "lite",
    "`Infrastructure=given SweepRestSeconds=3600`: functions outside a network, Aurora Serverless v2 that sleeps, by a "
    "public address without proxy, each environment caches for itself, Zilliz Serverless",
    database=(0.5,),
    sleeps=True,
    network=False,
    cached=False,
    kept_warm=0,
    vector_units=0,
    observed=False,
)
SCALE_1K = Deployment(
    "scale 100-1K",
    "`Infrastructure=managed Scale=100-1K`: a writer and a replica behind RDS Proxy, ElastiCache Serverless, "
    "8 environments of `search` kept warm, Zilliz Dedicated of 1 CU",
    database=(1, 1),
    network=True,
    cached=True,
    kept_warm=8,
    vector_units=1,
    observed=True,
)
SCALE_10K = Deployment(
    "scale 1K-10K",
    "`Infrastructure=managed Scale=1K-10K`: a writer and two replicas, 16 environments of `search` kept warm, "
    "Zilliz Dedicated of 2 CU twice",
    database=(2, 2, 2),
    network=True,
    cached=True,
    kept_warm=16,
    vector_units=4,
    observed=True,
)
DEPLOYMENTS = (LITE, SCALE_1K, SCALE_10K)
COMPARED = (LITE, SCALE_1K)
"""With the containers, which are for as many users."""
KINDS: Mapping[str, str] = {
    "cached": "cached search",
    "retrieval": "uncached retrieval",
    "answer": "answer by a language model",
}


def billed_seconds(usage: Usage, megabytes: float) -> float:
    """How long a function with so much memory runs."""
    return usage.cpu_seconds * max(1, VCPU_MEGABYTES / megabytes) + usage.wait_seconds


def search(measured: Measured, kind: str, deployment: Deployment) -> list[Line]:
    """Dollars of one search by what they go to; `kind` names a field of `Measured`."""
    usage: Usage = getattr(measured, kind)
    price = "lambda_warm_run" if deployment.kept_warm else "lambda"
    lines = [
        *_invocation(usage, measured.search_mb, 0 if deployment.kept_warm else measured.search_cold_seconds, price),
        ("API Gateway", dollars("api_request", 1)),
        ("data to the internet", dollars("data_out", usage.answer_kb / KB_OF_GB)),
        *_stores(usage, deployment),
        *_models(usage),
    ]
    return merged(lines)


def pages(measured: Measured, deployment: Deployment) -> list[Line]:
    """Dollars of one ingested page: its share of an upload, of S3's message and of the ingestion."""
    upload = [
        *_invocation(measured.upload, measured.other_mb, 0, "lambda"),
        ("API Gateway", dollars("api_request", 1)),
        *_stores(measured.upload, deployment),
    ]
    ingest = [
        *_invocation(measured.ingest, measured.ingest_mb, measured.ingest_cold_seconds, "lambda"),
        ("S3", dollars("s3_put", 1) + dollars("s3_get", 2)),
        ("SQS", dollars("sqs_request", 3)),
        *_stores(measured.ingest, deployment),
        *_models(measured.ingest),
    ]
    return merged((name, value / measured.pages_a_file) for name, value in (*upload, *ingest))


def idle(measured: Measured, deployment: Deployment) -> list[Line]:
    """Dollars of a month without a request: what always runs, what is kept, and a sweep each minute."""
    sweeps = HOURS * 60
    swept = [(name, value * sweeps) for name, value in _invocation(measured.sweep, measured.other_mb, 0, "lambda")]
    capacity = sum(deployment.database)
    awake = AWAKENINGS_AN_HOUR * AWAKE_SECONDS / 3_600 if deployment.sleeps else 1
    lines = [
        *swept,
        ("schedules", dollars("scheduler", sweeps)),
        ("SQS", dollars("sqs_request", QUEUES * (REQUESTS_AN_EMPTY_QUEUE + (sweeps if deployment.sleeps else 0)))),
        ("S3", dollars("s3_storage", STORED_GB)),
        ("Aurora", dollars("aurora_acu", capacity * awake * HOURS) + dollars("aurora_storage", STORED_GB)),
        ("metrics", dollars("metric", measured.sweep.metrics)),
        ("secrets", dollars("secret", 1)),
    ]
    if deployment.network:
        lines += [
            ("RDS Proxy", dollars("rds_proxy", max(PROXY_ACU, capacity) * HOURS)),
            ("private endpoints", dollars("endpoint", 3 * 2 * HOURS)),
        ]
    else:
        lines.append(("public address", dollars("public_address", HOURS)))
    if deployment.cached:
        lines.append(("cache", dollars("valkey_storage", 0.1 * HOURS)))
    if deployment.kept_warm:
        gigabytes = deployment.kept_warm * measured.search_mb / 1024
        lines.append(("search kept warm", dollars("lambda_warm", gigabytes * HOURS * 3_600)))
    if deployment.vector_units:
        lines.append(("vector store", dollars("zilliz_cu", deployment.vector_units * HOURS)))
    if deployment.observed:
        lines.append(("alarms and dashboard", dollars("alarm", 13) + dollars("dashboard", 1)))
    return merged(lines)


def always_on() -> list[Line]:
    """A month of the architecture document's medium production: 100 to 1,000 users, everything in containers."""
    return merged(
        [
            ("backends", _containers(2, 4, 8)),
            ("queue workers", _containers(1, 4, 8)),
            ("Milvus, etcd and MinIO", _containers(1, 4, 16) + _containers(1, 1, 2) + _containers(1, 1, 2)),
            ("Milvus, etcd and MinIO", dollars("volume", 3 * 50)),
            ("Redis", _containers(1, 0.5, 2)),
            ("Postgres and a replica", 2 * (dollars("postgres_instance", HOURS) + dollars("postgres_storage", 100))),
            ("load balancer", dollars("balancer", HOURS)),
            ("NAT", dollars("nat", HOURS)),
        ]
    )


def models_only(measured: Measured, kind: str) -> float:
    """Dollars of one search that any deployment with the same models pays."""
    return total(_models(getattr(measured, kind)))


def break_even(measured: Measured, kind: str, deployment: Deployment) -> float:
    """How many searches a month cost as much as the containers that are always on; 0 where idling costs more."""
    saved = total(always_on()) - total(idle(measured, replace(deployment, sleeps=False)))  # searches keep it awake
    a_search = total(search(measured, kind, deployment)) - models_only(measured, kind)
    return max(0.0, saved / a_search)


def total(lines: Sequence[Line]) -> float:
    """All dollars together."""
    return sum(value for _, value in lines)


def merged(lines: Iterator[Line] | Sequence[Line]) -> list[Line]:
    """Lines of one name added up, the largest first, none of nothing."""
    found: dict[str, float] = {}
    for name, value in lines:
        found[name] = found.get(name, 0.0) + value
    return sorted(((name, value) for name, value in found.items() if value), key=lambda line: -line[1])


def largest(lines: Sequence[Line], count: int = 3) -> str:
    """The largest lines, with their shares of all."""
    whole = total(lines)
    return ", ".join(f"{name} {value / whole:.0%}" for name, value in lines[:count])


def _invocation(usage: Usage, megabytes: float, cold_seconds: float, price: str) -> list[Line]:
    gigabytes = megabytes / 1024
    cold = COLD_SHARE * cold_seconds * max(1, VCPU_MEGABYTES / megabytes)
    return [
        ("function, computing", dollars(price, gigabytes * (billed_seconds(usage, megabytes) - usage.wait_seconds))),
        ("function, waiting", dollars(price, gigabytes * usage.wait_seconds)),
        ("cold starts", dollars("lambda", gigabytes * cold)),
        ("invocations", dollars("lambda_request", 1)),
        ("logs", dollars("logs", (usage.log_kb + PLATFORM_LOG_KB) / KB_OF_GB)),
    ]


def _stores(usage: Usage, deployment: Deployment) -> list[Line]:
    capacity = usage.database_seconds / ACU_PROCESSORS / 3_600
    lines = [("Aurora", dollars("aurora_acu", capacity) + dollars("aurora_io", usage.database_writes))]
    if deployment.cached:
        lines.append(("cache", dollars("valkey_ecpu", usage.cache_kb)))
    if not deployment.vector_units:
        lines.append(("vector store", dollars("zilliz_vcu", _vcu(usage))))
    return lines


def _vcu(usage: Usage) -> float:
    return usage.vector_reads * READ_VCU + usage.vector_kb * WRITTEN_VCU


def _models(usage: Usage) -> list[Line]:
    return [
        ("embedding model", dollars("titan_embed", usage.embedded_tokens)),
        ("language model", dollars("nova_input", usage.prompt_tokens)),
        ("language model", dollars("nova_output", usage.answer_tokens)),
    ]


def _containers(count: int, processors: float, gigabytes: float) -> float:
    hours = count * HOURS
    return dollars("fargate_cpu", processors * hours) + dollars("fargate_memory", gigabytes * hours)
