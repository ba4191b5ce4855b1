"""How names compare and what can be stored."""

import pytest

from modulo.adapters.postgres.rules import name_key, printable, require, stages, stored_document
from modulo.domain.errors import Forbidden, NotFound
from modulo.domain.files.file import DocumentInfo, Stage
from modulo.domain.tenancy.identity import Role


@pytest.mark.parametrize(
    ("one", "other"), [("A", "a"), ("é", "e\u0301"), ("ß", "SS"), ("ﬁ", "FI"), ("\u212b", "å"), ("Ⅷ", "viii")]
)
def test_names_that_read_alike_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_other_names_differ() -> None:
    assert len({name_key(name) for name in ("a", "b", "á", "a ", "\u0430")}) == 5  # the last is Cyrillic


def test_what_cannot_be_stored_is_left_out() -> None:
    assert printable("a\0b\ud800c") == "ab?c"
    assert stored_document(DocumentInfo(title="\0T", total_pages=3)) == {"title": "T", "total_pages": 3}


def test_a_role_must_suffice() -> None:
    assert require("editor", Role.viewer) is Role.editor
    with pytest.raises(Forbidden):
        require("viewer", Role.editor)
    with pytest.raises(NotFound):
        require(None, Role.viewer)


def test_stages_come_in_their_order_without_empty_ones() -> None:
    assert list(stages({"failed": 2, "queued": 1, "ready": 0}).items()) == [(Stage.queued, 1), (Stage.failed, 2)]
