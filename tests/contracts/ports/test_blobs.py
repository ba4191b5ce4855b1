"""What every object store promises, and what S3 promises besides."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.config import Config

from modulo.adapters.aws import s3_blobs
from modulo.adapters.aws.s3_blobs import S3Blobs
from modulo.domain.errors import ModuloError, NotFound, Unavailable
from modulo.domain.files.file import FileRef
from modulo.domain.files.part_upload import UploadPartRef
from modulo.domain.files.stored_object import StoredTotals
from modulo.domain.files.upload import PresignedPost
from modulo.domain.files.user_file import UserFileRef
from modulo.domain.trace import Trace
from modulo.ports.blobs import Blobs
from modulo.ports.trace import current_trace
from tests.doubles.memory_blobs import MemoryBlobs

Environment = dict[str, str]
BODY = b"the bytes of a file"
SHA256 = hashlib.sha256(BODY).hexdigest()


def parts_of(blobs: Blobs, *contents: bytes) -> tuple[UserFileRef, list[UploadPartRef]]:
    ref = UserFileRef(uuid4(), uuid4(), uuid4())
    parts = [UploadPartRef(ref, uuid4()) for _ in contents]
    for part, content in zip(parts, contents, strict=True):
        blobs.put(part, content, media_type="application/octet-stream")
    return ref, parts


def a_ref(generation: int = 1) -> FileRef:
    return FileRef(uuid4(), uuid4(), uuid4(), generation)


class Outside:
    """What a client does with presigned forms and addresses: whether it worked, and what came back."""

    def post(self, form: PresignedPost, content: bytes) -> bool:
        raise NotImplementedError

    def get(self, url: str) -> bytes | None:
        raise NotImplementedError


class InMemory(Outside):
    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs

    def post(self, form: PresignedPost, content: bytes) -> bool:
        try:
            self._blobs.post(form, content)
        except ModuloError:
            return False
        return True

    def get(self, url: str) -> bytes | None:
        try:
            return self._blobs.fetch(url)
        except ModuloError:
            return None


class OverHttp(Outside):
    def post(self, form: PresignedPost, content: bytes) -> bool:
        answer = httpx.post(form.url, data=dict(form.fields), files={"file": ("any name", content)}, timeout=60)
        return answer.is_success

    def get(self, url: str) -> bytes | None:
        answer = httpx.get(url, timeout=60)
        return answer.content if answer.is_success else None


@pytest.fixture
def s3(cloud_environment: Environment) -> Any:
    return boto3.client("s3", config=Config(s3={"addressing_style": "path"}))


def plain(request: pytest.FixtureRequest) -> tuple[Blobs, Outside]:
    environment: Environment = request.getfixturevalue("cloud_environment")
    return S3Blobs(environment["BLOBS_BUCKET"]), OverHttp()


def versioned(request: pytest.FixtureRequest) -> tuple[Blobs, Outside]:
    bucket = f"versions-{uuid4()}"
    client = request.getfixturevalue("s3")
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return S3Blobs(bucket), OverHttp()


def memory(request: pytest.FixtureRequest) -> tuple[Blobs, Outside]:
    blobs = MemoryBlobs()
    return blobs, InMemory(blobs)


@pytest.fixture(params=[memory, plain, versioned], ids=lambda made: made.__name__)
def both(request: pytest.FixtureRequest) -> Iterator[tuple[Blobs, Outside]]:
    make: Callable[[pytest.FixtureRequest], tuple[Blobs, Outside]] = request.param
    return make(request)


@pytest.fixture
def blobs(both: tuple[Blobs, Outside]) -> Blobs:
    return both[0]


@pytest.fixture
def outside(both: tuple[Blobs, Outside]) -> Outside:
    return both[1]


def form_for(blobs: Blobs, ref: FileRef, *, size: int = len(BODY), checksum: str | None = SHA256) -> PresignedPost:
    return blobs.presigned_post(ref, media_type="text/plain", size_bytes=size, checksum_sha256=checksum, expires_in=60)


class TestBlobs:
    def test_what_is_put_can_be_read(self, blobs: Blobs) -> None:
        ref = a_ref()
        blobs.put(ref, BODY, media_type="text/plain")
        info = blobs.info(ref)
        assert info is not None
        assert info.size_bytes == len(BODY)
        with blobs.open(ref) as content:
            assert content.read() == BODY
            content.seek(4)
            assert content.read(5) == b"bytes"

    def test_large_and_empty_objects(self, blobs: Blobs) -> None:
        for content in (b"", bytes(range(256)) * 40_000):
            ref = a_ref()
            blobs.put(ref, content, media_type="application/octet-stream")
            with blobs.open(ref) as opened:
                assert opened.read() == content

    def test_parts_are_joined_in_the_order_given(self, blobs: Blobs) -> None:
        for contents in ((b"one", b"two", b"three"), (bytes(range(256)) * 20_000,) * 4):
            ref, parts = parts_of(blobs, *contents)
            whole = b"".join(reversed(contents))
            assert blobs.join(parts[::-1], ref, media_type="text/plain") == hashlib.md5(whole).hexdigest()
            copy = a_ref()
            blobs.copy(ref, copy, media_type="text/plain")
            with blobs.open(copy) as opened:
                assert opened.read() == whole

    def test_nothing_is_stored_where_a_part_is_missing(self, blobs: Blobs) -> None:
        for content in (b"one", bytes(9 * 1024**2)):
            ref, parts = parts_of(blobs, content)
            with pytest.raises(NotFound):
                blobs.join([*parts, UploadPartRef(ref, uuid4())], ref, media_type="text/plain")
            assert blobs.count(ref.tenant_id, ref.prefix).objects == 1
            with pytest.raises(NotFound):
                blobs.copy(ref, a_ref(), media_type="text/plain")

    def test_what_is_not_there(self, blobs: Blobs) -> None:
        assert blobs.info(a_ref()) is None
        with pytest.raises(NotFound):
            blobs.open(a_ref())

    def test_the_version_changes_with_the_bytes(self, blobs: Blobs) -> None:
        ref = a_ref()
        versions = set()
        for content in (b"one", b"two"):
            blobs.put(ref, content, media_type="text/plain")
            info = blobs.info(ref)
            assert info is not None
            assert info == blobs.info(ref)
            versions.add(info.version)
        assert len(versions) == 2
        assert not any("null" in version for version in versions)

    def test_a_pinned_version_is_read_or_is_gone_but_never_replaced(self, blobs: Blobs, outside: Outside) -> None:
        ref, wanted = a_ref(), {"name": "a.txt", "media_type": "text/plain", "expires_in": 60}
        blobs.put(ref, b"first", media_type="text/plain")
        pinned = blobs.info(ref)
        assert pinned is not None
        blobs.put(ref, b"other", media_type="text/plain")
        try:
            with blobs.open(ref, pinned.version) as content:
                assert content.read() == b"first"
            assert outside.get(blobs.presigned_get(ref, version=pinned.version, **wanted)) == b"first"
        except NotFound:
            with pytest.raises(NotFound):
                blobs.presigned_get(ref, version=pinned.version, **wanted)
        latest = blobs.info(ref)
        assert latest is not None
        with blobs.open(ref, latest.version) as content:
            assert content.read() == b"other"
        assert outside.get(blobs.presigned_get(ref, version=latest.version, **wanted)) == b"other"

    def test_the_trace_is_kept_with_the_object(self, blobs: Blobs, outside: Outside) -> None:
        one, other, none = a_ref(), a_ref(), a_ref()
        trace = Trace.begin()
        token = current_trace.set(trace)
        try:
            blobs.put(one, BODY, media_type="text/plain")
            form = blobs.presigned_post(
                other, media_type="text/plain", size_bytes=len(BODY), checksum_sha256=None, expires_in=60
            )
        finally:
            current_trace.reset(token)
        assert outside.post(form, BODY)
        blobs.put(none, BODY, media_type="text/plain")
        found = [blobs.info(ref) for ref in (one, other, none)]
        assert [info and info.trace for info in found] == [trace.header, trace.header, None]

    def test_a_version_that_never_was(self, blobs: Blobs) -> None:
        ref = a_ref()
        blobs.put(ref, b"bytes", media_type="text/plain")
        other = a_ref()
        blobs.put(other, b"others", media_type="text/plain")
        foreign = blobs.info(other)
        assert foreign is not None
        with pytest.raises(NotFound):
            blobs.open(ref, foreign.version)

    @pytest.mark.parametrize("checksum", [SHA256, None])
    def test_a_form_takes_exactly_the_announced_size(
        self, blobs: Blobs, outside: Outside, checksum: str | None
    ) -> None:
        ref = a_ref()
        form = form_for(blobs, ref, checksum=checksum)
        assert not outside.post(form, BODY + b"!")
        assert not outside.post(form, BODY[:-1])
        assert not outside.post(form, b"")
        assert blobs.info(ref) is None
        assert outside.post(form, BODY)
        with blobs.open(ref) as content:
            assert content.read() == BODY

    @pytest.mark.parametrize("field", ["key", "Content-Type", "policy"])
    def test_an_altered_form_is_refused(self, blobs: Blobs, outside: Outside, field: str) -> None:
        ref, victim = a_ref(), a_ref()
        form = form_for(blobs, ref)
        changes = {"key": victim.key, "Content-Type": "text/html", "policy": "e30="}
        altered = PresignedPost(url=form.url, fields={**form.fields, field: changes[field]})
        assert not outside.post(altered, BODY)
        assert blobs.info(ref) is blobs.info(victim) is None

    def test_a_download_gives_the_bytes_and_ends(self, blobs: Blobs, outside: Outside) -> None:
        ref = a_ref()
        blobs.put(ref, BODY, media_type="text/plain")
        url = blobs.presigned_get(ref, name="a.txt", media_type="text/plain", expires_in=2)
        assert outside.get(url) == BODY
        deadline = time.monotonic() + 60
        while outside.get(url) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_deleting_by_prefix(self, blobs: Blobs) -> None:
        kept, gone = a_ref(), a_ref()
        next_generation = FileRef(gone.tenant_id, gone.collection_id, gone.file_id, 2)
        sibling = FileRef(gone.tenant_id, gone.collection_id, uuid4(), 1)
        for ref in (kept, gone, gone, next_generation, sibling):
            blobs.put(ref, uuid4().bytes, media_type="text/plain")
        stored = blobs.count(gone.tenant_id, gone.prefix)
        assert (stored.objects, stored.size_bytes in (32, 48)) == (2, True)  # older versions count, where there are any
        assert blobs.delete(gone.tenant_id, gone.prefix) == 2
        assert blobs.count(gone.tenant_id, gone.prefix) == StoredTotals(0, 0)
        assert blobs.info(gone) is blobs.info(next_generation) is None
        assert blobs.delete(gone.tenant_id, gone.prefix) == 0
        assert blobs.info(sibling) is not None
        assert blobs.delete(gone.tenant_id, f"tenants/{gone.tenant_id}/") == 1
        assert blobs.info(kept) is not None

    @pytest.mark.parametrize("prefix", ["", "tenants/", "tenants/{other}/", "/tenants/{own}/", "tenants/{own}"])
    def test_a_prefix_outside_the_tenant_is_refused(self, blobs: Blobs, prefix: str) -> None:
        other = a_ref()
        blobs.put(other, BODY, media_type="text/plain")
        own = uuid4()
        with pytest.raises(ValueError, match="outside"):
            blobs.delete(own, prefix.format(own=own, other=other.tenant_id))
        with pytest.raises(ValueError, match="outside"):
            blobs.count(own, prefix.format(own=own, other=other.tenant_id))
        assert blobs.info(other) is not None

    def test_threads_share_a_store(self, blobs: Blobs) -> None:
        def round_trip(number: int) -> bytes:
            ref = a_ref()
            blobs.put(ref, b"%d" % number, media_type="text/plain")
            with blobs.open(ref) as content:
                return content.read()

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(round_trip, range(24))) == [b"%d" % number for number in range(24)]

    def test_ping(self, blobs: Blobs) -> None:
        blobs.ping()


class TestMemoryBlobs:
    def test_a_checksum_that_differs_is_refused(self) -> None:
        blobs = MemoryBlobs()
        outside = InMemory(blobs)
        assert not outside.post(form_for(blobs, a_ref()), BODY[::-1])
        assert outside.get("memory:download/guessed") is None


class TestS3Blobs:
    def test_the_form_binds_the_checksum(self, cloud_environment: Environment) -> None:
        form = form_for(S3Blobs(cloud_environment["BLOBS_BUCKET"]), a_ref())
        encoded = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
        policy = json.loads(base64.b64decode(form.fields["policy"]))
        assert form.fields["x-amz-checksum-sha256"] == encoded
        assert form.fields["x-amz-checksum-algorithm"] == "SHA256"
        for condition in (
            {"x-amz-checksum-sha256": encoded},
            {"x-amz-checksum-algorithm": "SHA256"},
            {"Content-Type": "text/plain"},
            ["content-length-range", len(BODY), len(BODY)],
            {"key": form.fields["key"]},
            {"bucket": cloud_environment["BLOBS_BUCKET"]},
        ):
            assert condition in policy["conditions"]

    def test_a_download_is_an_attachment_of_that_name_and_type(self, cloud_environment: Environment) -> None:
        blobs = S3Blobs(cloud_environment["BLOBS_BUCKET"])
        ref = a_ref()
        blobs.put(ref, BODY, media_type="text/html")
        name = 'Übersicht "Q1"\r\nX-Evil: 1 文書.pdf'
        replaced = blobs.info(ref)
        blobs.put(ref, b"another", media_type="text/html")
        assert replaced is not None
        for version, content in ((None, b"another"), (replaced.version, BODY)):
            wanted = {"name": name, "media_type": "application/pdf", "expires_in": 60}
            answer = httpx.get(blobs.presigned_get(ref, version=version, **wanted), timeout=60)
            assert answer.content == content
            assert answer.headers["content-type"] == "application/pdf"
            assert "x-evil" not in answer.headers
            disposition = answer.headers["content-disposition"]
            assert disposition == s3_blobs.content_disposition(name)
            assert unquote(disposition.partition("UTF-8''")[2]) == 'Übersicht "Q1"__X-Evil: 1 文書.pdf'

    def test_a_part_of_a_pinned_download_can_be_asked_for(self, cloud_environment: Environment) -> None:
        blobs = S3Blobs(cloud_environment["BLOBS_BUCKET"])
        ref = a_ref()
        blobs.put(ref, BODY, media_type="text/html")
        pinned = blobs.info(ref)
        assert pinned is not None
        url = blobs.presigned_get(ref, version=pinned.version, name="a", media_type="text/plain", expires_in=60)
        part = httpx.get(url, headers={"Range": "bytes=2-4"}, timeout=60)
        assert (part.status_code, part.content) == (206, BODY[2:5])

    def test_deleting_leaves_no_version_and_no_marker(self, s3: Any, cloud_environment: Environment) -> None:
        bucket = f"versions-{uuid4()}"
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        ref = a_ref()
        odd = f"{ref.prefix}ü 文 +&%20.bin"
        for key in (ref.key, ref.key, odd, odd):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        s3.delete_object(Bucket=bucket, Key=odd)
        assert S3Blobs(bucket).count(ref.tenant_id, ref.prefix) == StoredTotals(2, 4)
        assert S3Blobs(bucket).delete(ref.tenant_id, ref.prefix) == 2
        assert S3Blobs(bucket).count(ref.tenant_id, ref.prefix) == StoredTotals(0, 0)
        left = s3.list_object_versions(Bucket=bucket)
        assert not left.get("Versions")
        assert not left.get("DeleteMarkers")

    def test_deleting_goes_on_after_a_thousand(self, s3: Any, cloud_environment: Environment) -> None:
        ref = a_ref()
        bucket = f"many-{uuid4()}"
        s3.create_bucket(Bucket=bucket)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: s3.put_object(Bucket=bucket, Key=f"{ref.prefix}{n}", Body=b""), range(1_050)))
        assert S3Blobs(bucket).count(ref.tenant_id, ref.prefix) == StoredTotals(1_050, 0)
        assert S3Blobs(bucket).delete(ref.tenant_id, ref.prefix) == 1_050
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    def test_a_bucket_that_is_not_there(self, cloud_environment: Environment) -> None:
        blobs = S3Blobs(f"missing-{uuid4()}")
        for call in (blobs.ping, lambda: blobs.put(a_ref(), b"", media_type="a/b"), lambda: blobs.open(a_ref())):
            with pytest.raises(Unavailable) as caught:
                call()
            assert caught.value.extra == {"dependency": "s3"}

    @pytest.mark.serial
    def test_nothing_there_is_an_honest_and_fast_failure(
        self, cloud_environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        blobs = S3Blobs("modulo")
        ref = a_ref()
        began = time.monotonic()
        for call in (
            lambda: blobs.info(ref),
            lambda: blobs.open(ref),
            lambda: blobs.delete(ref.tenant_id, ref.prefix),
        ):
            with pytest.raises(Unavailable):
                call()
        assert time.monotonic() - began < 40
