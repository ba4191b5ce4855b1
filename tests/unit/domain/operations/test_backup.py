"""What is checked of an archive's rows, beside what a whole archive shows."""

from uuid import uuid4

import pytest

from modulo.domain.errors import InvalidRequest
from modulo.domain.operations.backup import RestorePlan, checked_row, note_row, tenant_of

MODEL = {"name": "m", "dimensions": 3}


def test_a_message_that_nobody_can_read_is_of_no_tenant():
    assert tenant_of("dead_letters", {"tenant_id": None}) is None


def test_indexes_of_a_deleted_collection_have_no_space():
    plan = RestorePlan()
    row = {"tenant_id": str(uuid4()), "id": str(uuid4()), "owner_id": str(uuid4()), "embedding_model": MODEL}
    note_row(plan, "collections", {**row, "dedicated": False, "index_number": 1, "deleted_at": "2026-01-01"})
    note_row(plan, "indexes", {**row, "collection_id": row["id"], "number": 2})
    assert plan.spaces == ()
    note_row(plan, "collections", {**row, "dedicated": True, "index_number": 1, "deleted_at": None})
    note_row(plan, "indexes", {**row, "collection_id": row["id"], "number": 2})
    assert [space.index for space in plan.spaces] == [1, 2]


@pytest.mark.parametrize("line", ["{", "[]", '{"a": 1, "b": 2}', "{}"])
def test_a_row_has_just_its_columns(line):
    with pytest.raises(InvalidRequest, match="users"):
        checked_row("users", line, ("a",))
