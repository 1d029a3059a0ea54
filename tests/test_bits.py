import math
import threading
import zlib

import bits_reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pillow_lic import _native
from pillow_lic.bench import coder
from pillow_lic.engine import bits, entropy
from pillow_lic.errors import LicDamagedError, LicDesyncError, LicUnsupportedError

PREFIX = 3


@st.composite
def contexts_and_bits(draw):
    """Draw start values, bits and their contexts."""
    count = draw(st.sampled_from([1, 2, 7, 4096]))
    n = draw(st.integers(0, 1100))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    starts = rng.integers(0, 65536, count).astype(np.uint16)
    contexts = rng.integers(0, count, n).astype(np.uint16)
    values = (rng.random(n) < rng.choice([0.0, 0.01, 0.3, 0.5, 1.0])).astype(np.uint8)
    return starts, values, contexts


@st.composite
def planes_and_classes(draw):
    """Draw start values, planes, classes and perhaps a mask; every side may be 0 or 1."""
    shape = tuple(draw(st.integers(0, most)) for most in (3, 3, 6, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    classes = rng.integers(0, 8, shape[:2]).astype(np.uint8)
    mask = rng.random(shape) < 0.7 if draw(st.booleans()) else None
    planes = (rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 1.0])).astype(np.uint8)
    return rng.integers(0, 65536, 4096).astype(np.uint16), planes if mask is None else planes * mask, classes, mask


def written(starts, values, contexts):
    encoder = bits.Encoder(starts)
    encoder.write(values, contexts)
    return encoder


def written_planes(starts, planes, classes, mask=None):
    encoder = bits.Encoder(starts)
    encoder.write_planes(planes, classes, mask)
    return encoder


@given(contexts_and_bits())
def test_bytes_and_bits_equal_the_reference(case):
    starts, values, contexts = case
    encoder = written(*case)
    stream = encoder.stream()
    assert stream[PREFIX:] == bits_reference.encode(
        starts.tolist(), zip(values.tolist(), contexts.tolist(), strict=True)
    )
    decoder = bits.Decoder(starts, memoryview(stream))
    parts = [decoder.read(part) for part in np.split(contexts, [len(contexts) // 3, len(contexts) // 2])]
    decoder.finish()
    assert np.array_equal(np.concatenate(parts), values)
    assert decoder.decoded == values.size
    assert len(stream) - PREFIX <= encoder.cost() / 8 * 1.001 + 4


@given(planes_and_classes())
def test_planes_equal_the_reference(case):
    starts, planes, classes, mask = case
    stream = written_planes(*case).stream()
    if planes.size:
        lists = None if mask is None else mask.tolist()
        assert stream[PREFIX:] == bits_reference.encode_planes(
            starts.tolist(), planes.tolist(), classes.tolist(), lists
        )
    decoder = bits.Decoder(starts, stream)
    read = decoder.read_planes(classes, *planes.shape[2:], mask)
    decoder.finish()
    assert read.dtype == np.uint8
    assert np.array_equal(read, planes)
    assert decoder.decoded == (planes.size if mask is None else mask.sum())


def test_both_doors_share_one_stream():
    rng = np.random.default_rng(1)
    starts = np.full(1024, 32768, np.uint16)
    classes = np.zeros((2, 1), np.uint8)
    planes, counts = rng.integers(0, 2, (2, 1, 5, 9), np.uint8), rng.integers(0, 2, (3, 4), np.uint8)
    contexts = rng.integers(512, 1024, (3, 4)).astype(np.uint16)
    encoder = bits.Encoder(starts)
    encoder.write(counts, contexts)
    encoder.write_planes(planes, classes)
    encoder.write(counts[:, ::2], contexts[:, ::2])
    decoder = bits.Decoder(starts, encoder.stream())
    assert np.array_equal(decoder.read(contexts), counts)
    assert np.array_equal(decoder.read_planes(classes, 5, 9), planes)
    assert np.array_equal(decoder.read(contexts[:, ::2]), counts[:, ::2])
    decoder.finish()


@pytest.mark.parametrize("start", [0, 1, 31, 32, 33, 65503, 65504, 65505, 65535])
@pytest.mark.parametrize("first", [0, 1])
def test_extreme_probabilities_equal_the_reference(start, first):
    values = np.array([first, *[1 - first] * 3, *[first] * 400, 1 - first, first], np.uint8)
    contexts = np.zeros(values.size, np.uint16)
    starts = np.array([start], np.uint16)
    stream = written(starts, values, contexts).stream()
    assert stream[PREFIX:] == bits_reference.encode([start], [(v, 0) for v in values.tolist()])
    decoder = bits.Decoder(starts, stream)
    assert np.array_equal(decoder.read(contexts), values)
    decoder.finish()


def test_a_constant_plane_costs_next_to_nothing():
    planes = np.zeros((1, 1, 1000, 1000), np.uint8)
    stream = written_planes(np.full(512, 32768, np.uint16), planes, np.zeros((1, 1), np.uint8)).stream()
    assert len(stream) < 1e6 * -math.log2(1 - 71 / 65536) / 8 + 30


def test_rate_is_within_a_hundredth_of_the_entropy_of_stationary_bits():
    rng = np.random.default_rng(2)
    probabilities = rng.uniform(0.02, 0.98, 64)
    contexts = rng.integers(0, 64, 500_000).astype(np.uint16)
    values = (rng.random(contexts.size) < probabilities[contexts]).astype(np.uint8)
    encoder = written(np.rint(probabilities * 65536).astype(np.uint16), values, contexts)
    p = np.where(values, probabilities[contexts], 1 - probabilities[contexts])
    assert encoder.cost() < 1.02 * -np.log2(p).sum()  # the price of adapting
    assert len(encoder.stream()) * 8 < 1.0001 * encoder.cost() + 64


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


def test_arguments_are_checked():
    starts = np.full(600, 32768, np.uint16)
    encoder = bits.Encoder(starts)
    one, none = np.ones(1, np.uint8), np.zeros((1, 1), np.uint8)
    plane = np.ones((1, 1, 2, 2), np.uint8)
    for call, reason in [
        (lambda: bits.Encoder(np.zeros(0, np.uint16)), "1 to 4096 contexts, got 0"),
        (lambda: bits.Encoder(np.zeros(4097, np.uint16)), "1 to 4096 contexts, got 4097"),
        (lambda: encoder.write(one * 2, np.zeros(1, np.uint16)), "0 or 1, got 2"),
        (lambda: encoder.write(one, np.full(1, 600, np.uint16)), "below 600, got 600"),
        (lambda: encoder.write(one, np.zeros(2, np.uint16)), "1 bits but 2 contexts"),
        (lambda: encoder.write_planes(plane * 3, none), "0 or 1, got 3"),
        (lambda: encoder.write_planes(plane, none + 1), "class 1 needs 1024 contexts, there are 600"),
        (lambda: encoder.write_planes(plane, np.zeros((1, 2), np.uint8)), "1 x 1 classes, got 1 x 2"),
        (lambda: encoder.write_planes(plane, none, np.zeros((1, 1, 2, 2), np.bool_)), "outside the mask must be 0"),
        (lambda: encoder.write_planes(plane, none, np.ones((1, 1, 2, 3), np.bool_)), "axis 3 has 3, not 2"),
    ]:
        with pytest.raises(ValueError, match=reason):
            call()
    assert encoder.stream() == bits.Encoder(starts).stream()
    for call in (
        lambda: bits.Encoder(starts.astype(np.int32)),
        lambda: encoder.write(one.astype(np.int8), np.zeros(1, np.uint16)),
        lambda: encoder.write_planes(plane[0], none),
    ):
        with pytest.raises(TypeError):
            call()
    decoder = bits.Decoder(starts, encoder.stream())
    with pytest.raises(ValueError, match="below 600, got 600"):
        decoder.read(np.full(1, 600, np.uint16))


def test_stored_starts_are_little_endian_words():
    assert bits.stored_starts(b"\x01\x00\x00\x80").tolist() == [1, 32768]
    assert bits.CLASSES * bits.CONTEXTS_OF_A_CLASS == 4096


def test_a_decoder_keeps_its_start_values_and_its_bytes(small):
    starts, planes, classes = small
    starts, stream = starts.copy(), bytearray(written_planes(*small).stream())
    decoder = bits.Decoder(starts, memoryview(stream))
    starts[:], stream[:] = 0, bytes(len(stream))
    assert np.array_equal(decoder.read_planes(classes, 5, 11), planes)
    decoder.finish()


def test_threads_do_not_disturb_each_other():
    rng = np.random.default_rng(6)
    starts, classes = np.full(512, 20000, np.uint16), np.zeros((2, 3), np.uint8)
    cases = [rng.integers(0, 2, (2, 3, 40, 50), np.uint8) for _ in range(4)]
    results = []

    def work(planes):
        for _ in range(5):
            decoder = bits.Decoder(starts, written_planes(starts, planes, classes).stream())
            results.append(np.array_equal(decoder.read_planes(classes, 40, 50), planes))

    threads = [threading.Thread(target=work, args=(planes,)) for planes in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20


def test_the_prefix_is_that_of_every_stream(small):
    stream = written_planes(*small).stream()
    lanes, check, coded = entropy.parse_prefix(stream)
    assert lanes == 1
    assert bytes(coded) == stream[PREFIX:]
    assert check == zlib.crc32(small[1].tobytes()) & 0xFFFF


def test_the_benchmark_measures_bits(capsys):
    planes = coder.bit_planes(20_000)
    assert planes.shape == (6, 4, 32, 32)
    assert planes.max() == 1
    assert coder.main(["--symbols", "20000", "--repeats", "1"]) == 0
    printed = capsys.readouterr().out
    over = [float(line.split("bytes, ")[1].split()[0]) for line in printed.splitlines() if line.startswith("bits")]
    assert len(over) == 2
    assert all(0 < excess < 1 for excess in over)
