"""The stack's services as the product meets them: reachable, closed to strangers, still there after a restart."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import boto3
import httpx
import pg8000.dbapi
import psutil
import pytest
import redis
from pymilvus import DataType, MilvusClient
from sqlalchemy import make_url

from modulo.adapters.aws.s3_blobs import S3Blobs
from modulo.cli.stack import Stack, StackError
from modulo.cli.stack.cloud import BUCKET
from modulo.cli.stack.disk_space import NotStored, refuse_when_full
from modulo.cli.stack.lock import AlreadyRunning
from modulo.cli.stack.postgres import binaries
from modulo.cli.stack.process import Process, Program
from modulo.domain.errors import Unavailable
from modulo.domain.files.file import FileRef
from tests.servers import serving

Environment = dict[str, str]


def connect(environment: Environment, **changes: str) -> pg8000.dbapi.Connection:
    url = make_url(environment["DATABASE_URL"])
    known = {"user": url.username, "password": url.password, "database": url.database}
    return pg8000.dbapi.connect(host=url.host, port=url.port, **{**known, **changes})


def query(environment: Environment, *statements: str) -> list[list[object]]:
    connection = connect(environment)
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    rows = list(cursor.fetchall()) if cursor.description else []
    connection.commit()
    connection.close()
    return rows


def client(environment: Environment, service: str):
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )


def started(since: Sequence[psutil.Process] = ()) -> list[psutil.Process]:
    """Our processes but those known already, and theirs: servers of other tests may run, and answer meanwhile."""
    known = set(since)
    return [one for one in psutil.Process().children(recursive=True) if not known & {one, *parents_of(one)}]


def parents_of(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.parents()
    return []


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs, and is not only still to be waited for by its parent."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


class TestPostgres:
    def test_it_serves_the_database_with_a_collation_that_knows_more_than_ascii(
        self, postgres_server: Environment
    ) -> None:
        assert query(postgres_server, "SELECT current_database(), lower('ÄÖ'), current_setting('TimeZone')") == [
            ["modulo", "äö", "UTC"]
        ]

    def test_it_asks_for_the_password(self, postgres: Environment) -> None:
        with pytest.raises(pg8000.dbapi.DatabaseError, match="28P01"):
            connect(postgres, password="guess")


class TestValkey:
    def test_it_answers_those_with_the_password_alone(self, valkey: Environment) -> None:
        with redis.Redis.from_url(valkey["CACHE_URL"]) as known:
            known.set("a", "1", ex=10)
            assert known.get("a") == b"1"
        port = make_url(valkey["CACHE_URL"]).port
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("a")


class TestMilvus:
    def test_it_serves_the_client(self, milvus: Environment) -> None:
        known = MilvusClient(milvus["MILVUS_URI"])
        assert not known.has_collection("nobody_made_this")
        known.close()
        assert milvus["MILVUS_INDEX"] == "FLAT"


class TestCloud:
    def test_a_stored_object_is_announced_to_the_ingest_queue(self, cloud: Environment) -> None:
        self.require_announcement(cloud, "announced")

    def require_announcement(self, cloud: Environment, key: str) -> None:
        sqs = client(cloud, "sqs")
        client(cloud, "s3").put_object(Bucket=cloud["BLOBS_BUCKET"], Key=key, Body=b"x")
        bodies: list[str] = []
        until = time.monotonic() + 60
        while not any(key in body for body in bodies):
            assert time.monotonic() < until
            received = sqs.receive_message(QueueUrl=cloud["INGEST_QUEUE_URL"], WaitTimeSeconds=5)
            bodies += [message["Body"] for message in received.get("Messages", [])]

    def test_every_queue_gives_up_after_four_attempts(self, cloud: Environment) -> None:
        sqs = client(cloud, "sqs")
        for name in ("INGEST", "PURGE", "SCHEDULES"):
            url = cloud[f"{name}_QUEUE_URL"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            assert ("schedules-dead" if name == "SCHEDULES" else "dead_letters") in attributes["RedrivePolicy"]
            assert '"maxReceiveCount": 4' in attributes["RedrivePolicy"]
        ingest = sqs.get_queue_attributes(QueueUrl=cloud["INGEST_QUEUE_URL"], AttributeNames=["VisibilityTimeout"])
        assert ingest["Attributes"]["VisibilityTimeout"] == "960"

    def test_the_schedules_are_there_and_what_was_missed_is_asked_for_at_the_start(self) -> None:
        with serving("cloud") as cloud:  # a new one: workers of other tests take what the session's asks for
            self.require_schedules(cloud)

    def require_schedules(self, cloud: Environment) -> None:
        schedules = client(cloud, "scheduler").list_schedules()["Schedules"]
        assert {schedule["Name"] for schedule in schedules} == {"reset_quotas", "sweep"}
        wanted = {'{"function": "reset_quotas"}', '{"function": "sweep"}'}
        bodies: set[str] = set()
        until = time.monotonic() + 60
        while not wanted <= bodies and time.monotonic() < until:  # one answer need not hold them all
            received = client(cloud, "sqs").receive_message(
                QueueUrl=cloud["SCHEDULES_QUEUE_URL"], MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            bodies |= {message["Body"] for message in received.get("Messages", [])}
        assert bodies == wanted

    def test_a_killed_one_that_is_restarted_has_its_queues_and_announces_objects(self, tmp_path: Path) -> None:
        with Stack(tmp_path, ["cloud"], durable=False) as stack:
            stack.kill("cloud")
            stack.restart("cloud")
            self.require_announcement(stack.environment, "after")

    def test_a_browser_may_upload_with_a_presigned_form_and_nothing_larger_than_it_says(
        self, cloud: Environment
    ) -> None:
        limits = [["content-length-range", 1, 4]]
        form = client(cloud, "s3").generate_presigned_post(cloud["BLOBS_BUCKET"], "form", Conditions=limits)
        preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        allowed = httpx.options(form["url"], headers=preflight, timeout=60)
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert httpx.post(form["url"], data=form["fields"], files={"file": b"1234"}, timeout=60).status_code == 204
        assert httpx.post(form["url"], data=form["fields"], files={"file": b"12345"}, timeout=60).status_code == 400
        forged = {**form["fields"], "x-amz-signature": "0" * 64}
        assert httpx.post(form["url"], data=forged, files={"file": b"1234"}, timeout=60).status_code >= 400

    def test_strangers_get_nothing(self, cloud: Environment) -> None:
        endpoint = cloud["AWS_ENDPOINT_URL"]
        assert httpx.get(f"{endpoint}/{cloud['BLOBS_BUCKET']}", timeout=60).status_code == 403
        assert httpx.post(f"{endpoint}/_ministack/reset", timeout=60).status_code == 403
        assert (
            httpx.get(f"{endpoint}/_ministack/health", headers={"Host": "evil.example"}, timeout=60).status_code == 403
        )


class TestFullDisk:
    """The local cloud's disk is full: really, on a small file system of its own, or by a limit on the size of files."""

    REF = FileRef(UUID(int=1), UUID(int=2), UUID(int=3), 1)
    OTHER = FileRef(UUID(int=1), UUID(int=2), UUID(int=4), 1)

    @staticmethod
    def content(blobs: S3Blobs, ref: FileRef) -> bytes:
        with blobs.open(ref) as opened:
            return opened.read()

    @contextmanager
    def full(self, stack: Stack, disk: Path | None) -> Iterator[None]:
        """Nothing of a megabyte can be written."""
        if disk:
            with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
                while True:
                    filler.write(bytes(4_096))
            yield
            (disk / "filler").unlink()
            return
        [server] = map(psutil.Process, stack.pids("cloud"))
        before = server.rlimit(psutil.RLIMIT_FSIZE)
        server.rlimit(psutil.RLIMIT_FSIZE, (100_000, before[1]))
        yield
        server.rlimit(psutil.RLIMIT_FSIZE, before)

    @pytest.fixture(params=["tmpfs", "limit"])
    def disk(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | None]:
        """The small file system of the objects, if there is one."""
        if request.param == "limit":
            yield None
            return
        objects = tmp_path / "cloud" / "objects"
        objects.mkdir(parents=True)
        mounted = (
            os.geteuid() == 0
            and not subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(objects)], check=False, capture_output=True
            ).returncode
        )
        if not mounted:
            pytest.skip("mounting a small file system needs root; the limit on files is tested instead")
        yield objects
        subprocess.run(["umount", str(objects)], check=True)

    def test_what_cannot_be_stored_is_refused_and_health_says_so(
        self, tmp_path: Path, disk: Path | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Stack(tmp_path, ["cloud"]) as stack:
            for name, value in stack.environment.items():
                monkeypatch.setenv(name, value)
            blobs = S3Blobs(stack.environment["BLOBS_BUCKET"])
            blobs.put(self.REF, b"kept", media_type="text/plain")
            with self.full(stack, disk):
                for ref in (self.OTHER, self.REF):
                    with pytest.raises(Unavailable):
                        blobs.put(ref, bytes(200_000), media_type="text/plain")
                form = client(stack.environment, "s3").generate_presigned_post(BUCKET, self.OTHER.key)
                sent = httpx.post(form["url"], data=form["fields"], files={"file": bytes(200_000)}, timeout=60)
                assert (sent.status_code, "cannot write to its disk" in sent.text) == (503, True)
                with pytest.raises(Unavailable):
                    blobs.ping()
                assert blobs.info(self.OTHER) is None
                assert self.content(blobs, self.REF) == b"kept"
            blobs.ping()
            blobs.put(self.OTHER, bytes(200_000), media_type="text/plain")
            blobs.close()
            [server] = map(psutil.Process, stack.pids("cloud"))
            server.kill()
        with Stack(tmp_path, ["cloud"]) as stack:
            for name, value in stack.environment.items():
                monkeypatch.setenv(name, value)
            blobs = S3Blobs(stack.environment["BLOBS_BUCKET"])
            assert self.content(blobs, self.REF) == b"kept"
            assert self.content(blobs, self.OTHER) == bytes(200_000)
            blobs.close()

    def test_bytes_that_did_not_reach_the_disk_are_not_acknowledged(self, tmp_path: Path) -> None:
        class S3:
            DATA_DIR = str(tmp_path)
            _buckets = MappingProxyType({"b": {"objects": {"k": {}}}})

            @staticmethod
            def _object_disk_path(bucket: str, key: str) -> str:
                return str(tmp_path / key)

            @staticmethod
            def _persist_object(bucket: str, key: str, obj: dict[str, object]) -> None:
                """Fail silently, as MiniStack does, or write a part only."""
                if obj["write"] is not None:
                    (tmp_path / key).write_bytes(obj["write"])
                    obj["body"] = None

            handle_request = None

        refuse_when_full(S3)
        for written in (None, b"", b"1234"):
            with pytest.raises(NotStored):
                S3._persist_object("b", "k", {"size": 5, "body": b"12345", "write": written})
        S3._persist_object("b", "k", {"size": 5, "body": b"12345", "write": b"12345"})
        assert "k" not in S3._buckets["b"]["objects"]


class TestLlm:
    def test_it_completes_a_chat_for_those_with_the_key(self, llm: Environment) -> None:
        request = {
            "model": llm["GENERATOR_MODEL"],
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
            "max_tokens": 24,
            "temperature": 0,
        }
        url = f"{llm['GENERATOR_URL']}/chat/completions"
        assert httpx.post(url, json=request, timeout=60).status_code == 401
        key = {"Authorization": f"Bearer {llm['GENERATOR_API_KEY']}"}
        answer = httpx.post(url, json=request, headers=key, timeout=60).json()
        assert answer["choices"][0]["message"]["content"].strip()
        assert answer["usage"]["completion_tokens"] > 0


class TestStack:
    SERVICES = ("postgres", "valkey", "milvus", "cloud")

    def write(self, environment: Environment) -> None:
        query(environment, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('still here')")
        milvus = MilvusClient(environment["MILVUS_URI"])
        schema = milvus.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        index = milvus.prepare_index_params()
        index.add_index("vector", index_type="FLAT", metric_type="COSINE")
        milvus.create_collection("kept", schema=schema, index_params=index)
        milvus.insert("kept", [{"id": 7, "vector": [1.0, 0.0]}])
        milvus.flush("kept")
        milvus.close()
        client(environment, "s3").put_object(Bucket=environment["BLOBS_BUCKET"], Key="kept é", Body=b"still here")
        client(environment, "sqs").send_message(QueueUrl=environment["PURGE_QUEUE_URL"], MessageBody="still here")

    def assert_kept(self, environment: Environment) -> None:
        assert query(environment, "SELECT word FROM kept") == [["still here"]]
        milvus = MilvusClient(environment["MILVUS_URI"])
        milvus.load_collection("kept")
        assert [row["id"] for row in milvus.query("kept", filter="id >= 0")] == [7]
        milvus.close()
        stored = client(environment, "s3").get_object(Bucket=environment["BLOBS_BUCKET"], Key="kept é")
        assert stored["Body"].read() == b"still here"
        received = client(environment, "sqs").receive_message(QueueUrl=environment["PURGE_QUEUE_URL"])
        assert received["Messages"][0]["Body"] == "still here"

    def test_data_survive_a_restart_only_this_machine_is_served_and_nothing_stays_behind(self, tmp_path: Path) -> None:
        # pytest's own directories can be entered by nobody but us: Postgres has to cope with that too.
        before = started()
        with Stack(tmp_path / "data", self.SERVICES) as stack:
            self.write(stack.environment)
            processes = started(since=before)
            listening = [c.laddr for p in processes for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
            assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
            assert len(listening) == len(self.SERVICES)
            with pytest.raises(AlreadyRunning, match="running on"), Stack(tmp_path / "data", ["valkey"]):
                pass
        assert [p for p in processes if p.is_running()] == []
        with Stack(tmp_path / "data", self.SERVICES) as stack:
            self.assert_kept(stack.environment)

    @pytest.mark.parametrize("suspended", [False, True], ids=["killed", "suspended"])
    def test_it_starts_at_once_after_everything_was_killed(self, tmp_path: Path, suspended: bool) -> None:
        """Where `suspended`, only the stack itself is killed, and its servers cannot react to that."""
        hold = "import sys, time; from pathlib import Path; from modulo.cli.stack import Stack\n"
        hold += "with Stack(Path(sys.argv[1]), sys.argv[2:]): print('ready', flush=True); time.sleep(600)"
        command = [sys.executable, "-c", hold, str(tmp_path / "data"), *self.SERVICES]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
            assert holder.stdout.readline() == b"ready\n"
            servers = psutil.Process(holder.pid).children(recursive=True)
            for server in servers if suspended else ():
                server.suspend()
            holder.kill()
            for server in () if suspended else servers:
                with suppress(psutil.NoSuchProcess):  # it ended with its parent
                    server.kill()
            with Stack(tmp_path / "data", self.SERVICES) as stack:
                self.write(stack.environment)
        assert [server for server in servers if is_alive(server)] == []

    @pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="only Linux shows where a process works")
    def test_a_process_with_the_id_of_a_killed_postgres_is_no_obstacle(self, tmp_path: Path) -> None:
        with Stack(tmp_path, ["postgres"], durable=False) as stack:
            pid_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
            left = pid_file.read_text()
            stack.kill("postgres")
        nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        with subprocess.Popen(["/bin/sleep", "600"], **nobody) as stranger:
            pid_file.write_text(left.replace(left.split()[0], str(stranger.pid), 1))
            with Stack(tmp_path, ["postgres"], durable=False) as stack:
                assert query(stack.environment, "SELECT 1") == [[1]]
            assert stranger.poll() is None
            stranger.kill()

    @pytest.fixture
    def running(self, tmp_path: Path) -> Iterator[tuple[Stack, list[psutil.Process]]]:
        """A stack that tests stop, and its processes."""
        before = started()
        with Stack(tmp_path, ("postgres", "valkey", "cloud"), durable=False) as stack:
            yield stack, started(since=before)

    @pytest.mark.serial
    @pytest.mark.parametrize("fault", ["suspended", "killed"])
    def test_stopping_is_quick_while_a_server_is(self, running: tuple[Stack, list[psutil.Process]], fault: str) -> None:
        stack, processes = running
        for pid in [*stack.pids("postgres"), *stack.pids("cloud")]:
            for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):  # it ended with its parent
                    process.suspend() if fault == "suspended" else process.kill()
        at = time.monotonic()
        stack.stop()
        assert time.monotonic() - at < 30
        assert [p for p in processes if is_alive(p)] == []

    @pytest.fixture
    def with_deaf_clients(self, tmp_path: Path) -> Iterator[tuple[Stack, list[Process]]]:
        """A stack, and four clients of it that run on when they are told to stop."""
        deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
        with Stack(tmp_path, ["valkey"]) as stack:
            clients = [stack.spawn(f"deaf{number}", Program([sys.executable, "-c", deaf])) for number in range(4)]
            for client_ in clients:
                client_.await_ready(lambda log=client_.log: log.exists() and log.stat().st_size > 0, timeout=60)
            yield stack, clients

    @pytest.mark.serial
    def test_stopping_waits_for_all_clients_and_then_all_servers_together(
        self, with_deaf_clients: tuple[Stack, list[Process]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack, clients = with_deaf_clients
        monkeypatch.setattr("modulo.cli.stack.stack.CLIENT_STOP_SECONDS", 4.0)
        at = time.monotonic()
        stack.stop()
        assert time.monotonic() - at < 3 * 4
        assert {each.returncode for each in clients} == {-signal.SIGKILL}

    @pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reaches its own directories")
    def test_root_may_keep_everything_below_a_directory_that_only_root_enters(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = tmp_path / "home"
        closed.mkdir(mode=0o700)
        package = binaries().parents[1]
        for part in (package, package.with_suffix(".libs")):
            shutil.copytree(part, closed / part.name, symlinks=True)
        moved = closed / package.name / binaries().relative_to(package)
        monkeypatch.setattr("modulo.cli.stack.postgres.binaries", lambda: moved)
        with Stack(closed / "data", ["postgres"], durable=False) as stack:
            assert query(stack.environment, "SELECT 1") == [[1]]

    def test_a_service_that_cannot_start_shows_its_log_and_takes_the_others_down(self, tmp_path: Path) -> None:
        with Stack(tmp_path, ["postgres"], durable=False):
            pass
        before = started()
        (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("9")
        with (
            pytest.raises(StackError, match=r"(?s)postgres exited with code 1.*not compatible"),
            Stack(tmp_path, ["valkey", "postgres"], durable=False),
        ):
            pass
        assert started(since=before) == []

    def test_a_port_taken_in_between_costs_a_second_attempt(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from modulo.cli.stack import stack as module

        with socket.create_server(("127.0.0.1", 0)) as taken:
            ports = iter([taken.getsockname()[1], module.free_port()])
            monkeypatch.setattr(module, "free_port", lambda: next(ports))
            with Stack(tmp_path, ["valkey"]) as stack, redis.Redis.from_url(stack.environment["CACHE_URL"]) as cache:
                assert cache.ping()
