import json

import pytest

from modulo.runtime.json_body import RefusedJson, read_json


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "ü"]}, [], "text", 7, {"pair": "\U0001f600"}])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_read(value, ascii_only):
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"{} {}", b"NaN", b'{"a": Infinity}', b"[-Infinity]", b'"\xff"', b'"\\ud83d"', b'{"\\udc00": 1}'),
        *("{}".encode("utf-16"), "{}".encode("utf-32"), "{}".encode("utf-8-sig")),
        *(b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b"9" * 5_000),
    ],
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(ValueError):  # noqa: PT011 - as every reader of JSON raises it
        read_json(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[NaN]", "NaN"),
        (b'"\\ud83d"', "surrogate"),
        (b"[" * 100_000, "too deep"),
        (b"9" * 5_000, "digits"),
        (b'[{"a": 1, "b": {"c": 1, "d": 2, "c": 1}}]', "'c'"),
        (b'{"\\ud83d": 1, "\\ud83d": 2}', "more than once"),
        (b'{"' + b"x" * 999 + b'": 1, "' + b"x" * 999 + b'": 2}', "'" + "x" * 60 + "'"),
    ],
)
def test_why_json_is_refused_is_said(body, said):
    with pytest.raises(RefusedJson, match=said) as refused:
        read_json(body)
    assert str(refused.value).encode()
