"""When a collection is flushed."""

from modulo.adapters.milvus.unsealed_chunks import MAX_UNSEALED, UnsealedChunks


def test_small_files_share_a_flush() -> None:
    unsealed = UnsealedChunks()
    due = [unsealed.is_due("a", 2) for _ in range(MAX_UNSEALED)]
    assert due == ([False] * (MAX_UNSEALED // 2 - 1) + [True]) * 2


def test_collections_are_counted_apart() -> None:
    unsealed = UnsealedChunks()
    assert not unsealed.is_due("a", MAX_UNSEALED - 1)
    assert not unsealed.is_due("b", MAX_UNSEALED - 1)
    assert unsealed.is_due("a", 1)


def test_a_large_file_or_one_of_unknown_size_is_flushed_at_once() -> None:
    unsealed = UnsealedChunks()
    assert unsealed.is_due("a", MAX_UNSEALED)
    assert not unsealed.is_due("a", 1)
    assert unsealed.is_due("a", None)
    assert not unsealed.is_due("a", MAX_UNSEALED - 1)
