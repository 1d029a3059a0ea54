"""Streams of bits that are cut, extended, altered or made up: refused, or shown as far as they go, and never a crash."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import bits_reference

from engine.bit_streams import PREFIX, contexts_and_bits, written, written_planes
from pillow_lic import _native
from pillow_lic.engine import bits, entropy
from pillow_lic.errors import LicDamagedError, LicDesyncError, LicUnsupportedError


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(3)
    starts = rng.integers(0, 65536, 1024).astype(np.uint16)
    planes = (rng.random((3, 2, 5, 11)) < 0.2).astype(np.uint8)
    return starts, planes, rng.integers(0, 2, (3, 2)).astype(np.uint8)


def outcome(starts, stream, classes, rows, columns):
    """Decode and return the planes, or None if the decoder refused."""
    try:
        decoder = bits.Decoder(starts, stream)
        planes = decoder.read_planes(classes, rows, columns)
        decoder.finish()
    except (LicDamagedError, LicDesyncError, LicUnsupportedError):
        return None
    return planes


def test_every_truncation_and_every_extension_is_refused(small):
    starts, planes, classes = small
    stream = written_planes(*small).stream()
    assert np.array_equal(outcome(starts, stream, classes, 5, 11), planes)
    assert all(outcome(starts, stream[:size], classes, 5, 11) is None for size in range(len(stream)))
    assert all(outcome(starts, stream + bytes(extra), classes, 5, 11) is None for extra in (1, 2, 100))


def ends_well(starts, coded, planes, classes):
    """Decode without the check of the prefix; whether all bytes were needed and the state ended as it must."""
    decoder = _native.BitDecoder(starts, coded, True)
    decoder.read_planes(planes, classes, None)
    try:
        decoder.finish()
    except _native.StreamError:
        return False
    return True


def test_every_bit_flip_is_refused_and_most_by_the_state_alone(small):
    starts, planes, classes = small
    stream = written_planes(*small).stream()
    passed = 0
    for bit in range(8 * PREFIX, 8 * len(stream)):
        flipped = bytearray(stream)
        flipped[bit // 8] ^= 1 << bit % 8
        assert outcome(starts, bytes(flipped), classes, 5, 11) is None
        if flipped[PREFIX + 3]:  # else no state begins so
            read = np.zeros_like(planes)
            passes = ends_well(starts, bytes(flipped[PREFIX:]), read, classes)
            # rANS maps streams to bits one to one, so a stream that ends well holds other bits.
            assert not (passes and np.array_equal(read, planes))
            passed += passes
    assert passed < (len(stream) - PREFIX) // 8


@given(contexts_and_bits(), st.data())
def test_a_cut_stream_gives_its_first_bits_and_says_how_many(case, data):
    starts, values, contexts = case
    encoder = written(*case)
    whole = encoder.stream()
    size = data.draw(st.integers(0, len(whole)))
    decoder = bits.Decoder(starts, whole[:size], cut=True)
    read = np.concatenate([decoder.read(part) for part in np.split(contexts, [len(contexts) // 2])])
    reference = bits_reference.Decoder(starts.tolist(), whole[PREFIX:size])
    expected = [reference.bit(context) for context in contexts.tolist()]
    count = decoder.decoded
    assert count == sum(bit is not None for bit in expected)
    assert np.array_equal(read[:count], values[:count])
    assert not read[count:].any()
    assert size < len(whole) or (count == values.size and reference.is_whole())
    present = size - PREFIX
    if count < values.size and present >= 4:
        cost = written(starts, values[:count], contexts[:count]).cost()
        assert 8 * present - 32 - 0.1 < cost < 8 * present - 13 + 0.1


def test_every_cut_of_planes(small):
    starts, planes, classes = small
    whole = written_planes(*small).stream()
    counts = []
    for size in range(len(whole) + 1):
        decoder = bits.Decoder(starts, whole[:size], cut=True)
        read = decoder.read_planes(classes, 5, 11)
        counts.append(decoder.decoded)
        assert np.array_equal(read.ravel()[: counts[-1]], planes.ravel()[: counts[-1]])
        assert not read.ravel()[counts[-1] :].any()
        assert not decoder.read(np.zeros(3, np.uint16)).any() or size == len(whole)
    assert counts == sorted(counts)
    assert counts[PREFIX + 3] == 0
    assert counts[PREFIX + 4] > 0
    assert counts[-1] == planes.size


def test_a_mask_counts_only_its_own_bits(small):
    starts, planes, classes = small
    mask = np.random.default_rng(4).random(planes.shape) < 0.5
    whole = written_planes(starts, planes * mask, classes, mask).stream()
    decoder = bits.Decoder(starts, whole[: len(whole) // 2], cut=True)
    read = decoder.read_planes(classes, 5, 11, mask)
    assert 0 < decoder.decoded < mask.sum()
    assert np.array_equal(read[mask][: decoder.decoded], planes[mask][: decoder.decoded])
    assert not read[~mask].any()


def test_random_bytes_never_crash_the_decoder_and_give_what_the_reference_gives():
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 65536, 16).astype(np.uint16)
    for _ in range(300):
        data = rng.integers(0, 256, int(rng.integers(4, 40)), dtype=np.uint8)
        data[3] |= 1
        contexts = rng.integers(0, 16, int(rng.integers(0, 500))).astype(np.uint16)
        decoder = _native.BitDecoder(starts, data, True)
        read = np.zeros(contexts.size, np.uint8)
        count = decoder.read(contexts, read)
        reference = bits_reference.Decoder(starts.tolist(), data.tobytes())
        assert [reference.bit(c) for c in contexts.tolist()] == read[:count].tolist() + [None] * (contexts.size - count)


def test_a_failed_decoder_stays_failed(small):
    starts, _, classes = small
    decoder = bits.Decoder(starts, written_planes(*small).stream()[:-5])
    with pytest.raises(LicDamagedError, match="ends before its last bit"):
        decoder.read_planes(classes, 5, 11)
    with pytest.raises(LicDamagedError, match="failed before"):
        decoder.read(np.zeros(0, np.uint16))
    with pytest.raises(LicDamagedError, match="failed before"):
        decoder.finish()


def test_other_ends_and_other_bits_are_told_apart(small):
    starts, planes, classes = small
    stream = written_planes(*small).stream()
    wrong = bits.Decoder(starts, stream[:1] + bytes([stream[1] ^ 1]) + stream[2:])
    assert np.array_equal(wrong.read_planes(classes, 5, 11), planes)
    with pytest.raises(LicDesyncError, match="the bits are not those that were written"):
        wrong.finish()
    early = bits.Decoder(starts, stream)
    early.read(np.zeros(0, np.uint16))
    with pytest.raises(LicDamagedError, match="bytes are left after the last bit"):
        early.finish()
    for beginning, error, reason in [
        (b"", LicDamagedError, "at least 7 bytes"),
        (stream[:6], LicDamagedError, "at least 7 bytes"),
        (b"\x04" + stream[1:], LicUnsupportedError, "later release"),
        (b"\x01" + stream[1:], LicDamagedError, "one lane, got 2"),
        (stream[:3] + b"\xff\xff\xff\0", LicDamagedError, "below 2\\^24"),
    ]:
        with pytest.raises(error, match=reason):
            bits.Decoder(starts, beginning)


def test_a_decoder_keeps_its_start_values_and_its_bytes(small):
    starts, planes, classes = small
    starts, stream = starts.copy(), bytearray(written_planes(*small).stream())
    decoder = bits.Decoder(starts, memoryview(stream))
    starts[:], stream[:] = 0, bytes(len(stream))
    assert np.array_equal(decoder.read_planes(classes, 5, 11), planes)
    decoder.finish()


def test_the_prefix_is_that_of_every_stream(small):
    stream = written_planes(*small).stream()
    lanes, check, coded = entropy.parse_prefix(stream)
    assert lanes == 1
    assert bytes(coded) == stream[PREFIX:]
    assert check == zlib.crc32(small[1].tobytes()) & 0xFFFF
