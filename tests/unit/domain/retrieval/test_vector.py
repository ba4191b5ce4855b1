import math
import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modulo.domain.retrieval.vector import decode_vector, encode_vector


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=50))
def test_what_32_bits_hold_comes_back(vector):
    assert decode_vector(encode_vector(vector), len(vector)) == vector
    assert decode_vector(encode_vector(vector), len(vector) + 1) is None


def test_other_numbers_are_rounded_once():
    rounded = decode_vector(encode_vector([0.1, -1 / 3]), 2)
    assert rounded != [0.1, -1 / 3]
    assert rounded == pytest.approx([0.1, -1 / 3])
    assert decode_vector(encode_vector(rounded), 2) == rounded
    assert len(encode_vector(rounded)) == 12


def test_numbers_that_are_too_large_are_refused():
    with pytest.raises(OverflowError):
        encode_vector([1e300])


@given(st.binary(max_size=40))
def test_other_bytes_are_no_vector(stored):
    assert decode_vector(stored, 2) is None or crc32(stored[:-4]) == struct.unpack("<I", stored[-4:])[0]


@pytest.mark.parametrize("position", range(12))
def test_a_changed_byte_is_noticed(position):
    stored = bytearray(encode_vector([1.0, 2.0]))
    stored[position] ^= 1
    assert decode_vector(bytes(stored), 2) is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_no_number_is_no_vector(value):
    assert decode_vector(encode_vector([value, 1.0]), 2) is None
