"""pymilvus is imported without pandas, and what it needs of pandas is offered, whatever its version."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.api import types
from pymilvus import DataType
from pymilvus.orm.types import dtype_str_map

from modulo.adapters.milvus import pandas_stub
from modulo.adapters.milvus.pandas_stub import STUBS, DataFrame
from modulo.adapters.milvus.stub_imports import lazy_module, stubbed_modules

FRESH = """
import json, sys
import modulo.adapters.milvus.client as client
loaded = sorted(sys.modules)
from pymilvus.client.global_topology import requests as lazy_module
assert issubclass(lazy_module.exceptions.RequestException, Exception)
import pymilvus.orm.schema as schema
assert not isinstance([], schema.pd.DataFrame)
used = schema.pd.__name__, schema.pd.DataFrame.__module__
import pandas
import requests
assert pandas.DataFrame({"a": [1]}).shape == (1, 1)
assert requests.Session().headers
files = [getattr(sys.modules[name], "__file__", None) for name in loaded if name.startswith("pymilvus")]
print(json.dumps({"loaded": loaded, "files": files, "used": used}))
"""
VALUES = [
    *(1, 1.0, True, None, "a", b"a", [], (), {}, set(), range(2), 1j, object(), list, iter([]), bytearray(b"a")),
    *(date(2026, 1, 1), datetime(2026, 1, 1), time(1), timedelta(1), Decimal(1), Fraction(1, 2)),
    *(
        np.float32(1),
        np.float64(1),
        np.int64(1),
        np.bool_(1),
        np.str_("a"),
        np.bytes_(b"a"),
        np.datetime64("2026-01-01"),
    ),
    *(np.array([1]), np.array(1), np.array(["a"]), np.datetime64("2026-01-01"), float("nan")),
]
LISTS = [
    *(
        [1],
        [1.0],
        ["a"],
        [True],
        [b"a"],
        [1, 2.0],
        [1, "a"],
        [],
        [None],
        [1, None],
        [1.0, None],
        ["a", None],
        [{}],
        [[1]],
    ),
    *(
        [np.int64(1)],
        [np.float32(1)],
        [np.bool_(1)],
        ["a", 1.0],
        [True, 1],
        [True, None],
        [1j],
        [Decimal(1)],
        [True, 1.0],
    ),
    *(
        [{}],
        [[1]],
        [True, 1.0],
        [b"a", "a"],
        [float("nan")],
        [float("nan"), "a"],
        (1, 2),
        range(3),
        {"a"},
        [date(2026, 1, 1)],
    ),
    *(np.array([1.0]), np.array(["a"]), np.array([b"a"]), np.array([1], dtype="f4"), np.array([True])),
]


@pytest.fixture(scope="module")
def fresh() -> dict[str, list[str]]:
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_neither_pandas_nor_requests_is_loaded(fresh: dict[str, list[str]]) -> None:
    roots = {name.partition(".")[0] for name in fresh["loaded"]}
    assert "pymilvus" in roots
    assert roots.isdisjoint({"pandas", "pyarrow", "requests", "urllib3"})
    assert fresh["used"] == ["pandas", DataFrame.__module__]


def test_all_that_pymilvus_uses_is_offered(fresh: dict[str, list[str]]) -> None:
    used = {use for file in fresh["files"] if file for use in uses_of_pandas(Path(file).read_text())}
    assert ("pandas", "DataFrame") in used
    missing = {(module, name) for module, name in used if name not in STUBS.get(module, {})}
    assert not missing, "this pymilvus needs more of pandas: offer it in modulo/adapters/milvus/pandas_stub.py"


def uses_of_pandas(source: str) -> Iterator[tuple[str, str]]:
    """Module and name of everything that a source takes from pandas, at import or later."""
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "pandas" and not node.level:
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "pandas":
                    aliases[alias.asname or "pandas"] = alias.name if alias.asname else "pandas"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield aliases[node.value.id], node.attr


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pandas as pd\npd.Series", {("pandas", "Series")}),
        ("import pandas\npandas.NA", {("pandas", "NA")}),
        ("def f():\n    from pandas.api.types import is_bool", {("pandas.api.types", "is_bool")}),
        ("import numpy as pd\npd.array", set()),
    ],
)
def test_uses_are_found(source: str, found: set[tuple[str, str]]) -> None:
    assert set(uses_of_pandas(source)) == found


@pytest.mark.parametrize("name", ["is_float", "is_list_like", "is_scalar", "is_array_like"])
@pytest.mark.parametrize("value", VALUES, ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", repr(value)))
def test_values_are_judged_as_by_pandas(name: str, value: object) -> None:
    assert getattr(pandas_stub, name)(value) is bool(getattr(types, name)(value))


@pytest.mark.parametrize("skipna", [True, False])
@pytest.mark.parametrize("values", LISTS, ids=repr)
def test_lists_are_to_pymilvus_what_they_are_by_pandas(values: list[object], skipna: bool) -> None:
    ours, theirs = pandas_stub.infer_dtype(values, skipna=skipna), types.infer_dtype(values, skipna=skipna)
    assert dtype_str_map.get(ours, DataType.UNKNOWN) == dtype_str_map.get(theirs, DataType.UNKNOWN)


def test_nothing_is_a_data_frame() -> None:
    with pytest.raises(TypeError):
        DataFrame({"a": [1]})


def test_what_is_deferred_is_imported_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with stubbed_modules({"colorsys": lazy_module("colorsys")}):
        import colorsys
    assert "colorsys" not in sys.modules
    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)
    assert "colorsys" in sys.modules


def test_pandas_itself_is_left_alone() -> None:
    with stubbed_modules(STUBS):
        assert sys.modules["pandas"] is pd


def test_nothing_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pandas"]:
        monkeypatch.delitem(sys.modules, name)
    with stubbed_modules(STUBS):
        import pandas.api.types as found

        assert found.is_scalar is pandas_stub.is_scalar
        with pytest.raises(ImportError):
            from pandas import Series  # noqa: F401 - what is not offered is not there
    assert "pandas" not in sys.modules
