"""The uploaded object: opened, compared with what was announced, and its media type."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from modulo.domain.errors import AlteredFile, LostFile, NotFound, OversizedFile
from modulo.domain.files.media import HEAD_BYTES, media_type_of

if TYPE_CHECKING:
    from typing import BinaryIO

    from modulo.domain.files.stored_object import ObjectInfo
    from modulo.domain.ingestion.claim import Claim
    from modulo.ports.blobs import Blobs


def open_source(blobs: Blobs, claim: Claim) -> BinaryIO:
    """The object's bytes, as they were when the generation was claimed first.

    Raises:
        LostFile: there is no such object any more.
    """
    try:
        return blobs.open(claim.ref, claim.object_version)
    except NotFound:
        raise LostFile from None


def check_size(claim: Claim, stored: ObjectInfo, *, max_bytes: int) -> None:
    """Compare the object's size with the limit and with what was announced.

    Raises:
        OversizedFile, AlteredFile: it differs.
    """
    if stored.size_bytes > max_bytes:
        raise OversizedFile
    if stored.size_bytes != claim.size_bytes:
        raise AlteredFile(f"{claim.size_bytes} bytes were announced, {stored.size_bytes} arrived.")


def checked_checksum(claim: Claim, content: BinaryIO) -> str:
    """The SHA-256 of all bytes, hexadecimal; leaves the content at its beginning.

    Raises:
        AlteredFile: it is not the announced one.
    """
    digest = hashlib.sha256()
    while block := content.read(1 << 20):
        digest.update(block)
    content.seek(0)
    if claim.checksum_sha256 not in (None, digest.hexdigest()):
        raise AlteredFile("The bytes that arrived do not have the announced checksum.")
    return digest.hexdigest()


def detected_media_type(claim: Claim, content: BinaryIO) -> str:
    """The media type by the name and the first bytes; leaves the content at its beginning."""
    head = content.read(HEAD_BYTES)
    content.seek(0)
    return media_type_of(claim.name, head)
