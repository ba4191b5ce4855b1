"""Names of downloads."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.adapters.aws.s3_blobs import content_disposition


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("report 1.pdf", "report 1.pdf", "report 1.pdf"),
        ("Übersicht.pdf", "Ubersicht.pdf", "Übersicht.pdf"),
        ("文書.pdf", "pdf", "文書.pdf"),
        ('a"; filename="evil.exe', "a__ filename__evil.exe", 'a"; filename="evil.exe'),
        ("../../etc/passwd", "_.._etc_passwd", "_.._etc_passwd"),
        ("a\r\nSet-Cookie: x", "a__Set-Cookie_ x", "a__Set-Cookie: x"),
        ("\ud800.txt", "_.txt", "_.txt"),
        ("...", "file", "file"),
        ("", "file", "file"),
    ],
)
def test_a_name_keeps_what_is_harmless(name: str, plain: str, exact: str) -> None:
    header = content_disposition(name)
    before, _, encoded = header.partition("; filename*=UTF-8''")
    assert before == f'attachment; filename="{plain}"'
    assert unquote(encoded) == exact


@given(st.text())
def test_any_name_makes_one_ascii_header(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in unquote(header.partition("UTF-8''")[2])
