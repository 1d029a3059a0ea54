"""The coder of bits: bytes and bits are those of the reference, rates near the entropy, arguments, threads, the benchmark."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import bits_reference

from engine.bit_streams import PREFIX, contexts_and_bits, written, written_planes
from pillow_lic.bench import coder
from pillow_lic.engine import bits


@st.composite
def planes_and_classes(draw):
    """Draw start values, planes, classes and perhaps a mask; every side may be 0 or 1."""
    shape = tuple(draw(st.integers(0, most)) for most in (3, 3, 6, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    classes = rng.integers(0, 8, shape[:2]).astype(np.uint8)
    mask = rng.random(shape) < 0.7 if draw(st.booleans()) else None
    planes = (rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 1.0])).astype(np.uint8)
    return rng.integers(0, 65536, 4096).astype(np.uint16), planes if mask is None else planes * mask, classes, mask


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


def test_the_benchmark_measures_bits(capsys):
    planes = coder.bit_planes(20_000)
    assert planes.shape == (6, 4, 32, 32)
    assert planes.max() == 1
    assert coder.main(["--symbols", "20000", "--repeats", "1"]) == 0
    printed = capsys.readouterr().out
    over = [float(line.split("bytes, ")[1].split()[0]) for line in printed.splitlines() if line.startswith("bits")]
    assert len(over) == 2
    assert all(0 < excess < 1 for excess in over)
