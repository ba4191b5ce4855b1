import pytest

from modulo_client.command.printing import size


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (20 * 1024, "20 KiB"),
        (10 * 1024**3, "10 GiB"),
        (3 * 1024**5, "3072 TiB"),
    ],
)
def test_a_size_is_told_in_steps_of_1024(count: int, shown: str) -> None:
    assert size(count) == shown
