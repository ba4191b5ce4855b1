import json

import pytest

from modulo.runtime.json_body import read_json


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
