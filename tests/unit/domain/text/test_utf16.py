# ruff: noqa: RUF001  # letters of several scripts look alike
import random

import pytest

from modulo.domain.text.utf16 import unmarked_utf16

TEXTS = ["Pump 7 works.\n", "Срок оплаты: 30 дней", "付款期限为三十天。", "Ödeme süresi\t30 gün", "𝒳 and 🚰 pump"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_text(text: str, codec: str) -> None:
    assert unmarked_utf16(text.encode(codec)) == codec
    assert unmarked_utf16((text * 400).encode(codec)[:4_001]) == codec


@pytest.mark.parametrize(
    "found",
    [
        *(b"", b"plain text", "Müller".encode("cp1252"), "付款".encode("gb18030"), "Срок".encode("koi8-r")),
        *(b"\0" * 64, bytes(range(256)) * 4, b"\x7fELF\x02\x01\x01" + bytes(60), b"\0\x01\0\x02\x03" * 20),
        bytes.fromhex("1104d005010e050c"),  # letters of four scripts in either order
    ],
)
def test_other_bytes(found: bytes) -> None:
    assert unmarked_utf16(found) is None


def test_noise_is_none() -> None:
    noise = random.Random(14)
    assert not any(unmarked_utf16(noise.randbytes(size)) for size in range(40, 2_000, 10))
