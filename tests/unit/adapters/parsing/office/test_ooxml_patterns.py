"""Patterns that are looked for in the bytes of parts, which are read in pieces."""

import io
import pkgutil
import re
from importlib import import_module

import pytest

from modulo.adapters.parsing import office
from modulo.adapters.parsing.office import ooxml
from modulo.adapters.parsing.office.ooxml import LONGEST_MATCH, Package
from tests import office_files
from tests.office_files import row

MODULES = [import_module(f"{office.__name__}.{module.name}") for module in pkgutil.iter_modules(office.__path__)]
PATTERNS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": found
    for module in MODULES
    for name, found in vars(module).items()
    if isinstance(found, re.Pattern) and isinstance(found.pattern, bytes)
}
PANE = f'<pane {"x" * 200}ySplit="2"{"x" * 200}frozen'


@pytest.mark.parametrize("name", PATTERNS)
def test_no_match_is_longer_than_what_is_kept_of_a_piece(name: str) -> None:
    longest = import_module("re._parser").parse(PATTERNS[name].pattern).getwidth()[1]
    assert longest <= LONGEST_MATCH


def test_there_are_such_patterns() -> None:
    assert {"sheet_layout._MERGED", "sheet_layout._FROZEN", "xlsx_parser._HEAD_OR_FOOT"} <= set(PATTERNS)


@pytest.mark.parametrize("piece", [1, 7, 450, 600, 1_000])
def test_long_matches_are_found_at_any_place(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ooxml, "_CHUNK_BYTES", piece)
    whole = "y" * 600
    content = office_files.workbook(row(1, A="x", B="y"), before=f"<!--{whole}{PANE}{whole}-->")
    found = list(Package(io.BytesIO(content)).found("xl/worksheets/sheet1.xml", PATTERNS["sheet_layout._FROZEN"]))
    assert [match[1] for match in found] == [b"2"]
