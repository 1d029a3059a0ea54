"""Signs that an integer network predicts: native code against plain Python, cut and damaged streams, numbers that are refused."""

import numpy as np
import pytest
from reference import predictor_reference

from pillow_lic.engine import bits
from pillow_lic.errors import LicDamagedError, LicError

SHAPES = [(1, 1, 1), (3, 4, 5), (9, 1, 6), (20, 3, 3)]
"""Planes, rows and columns."""


def stored(planes: int, seed: int = 0) -> bytes:
    """Return a predictor of small weights, as a model stores it."""
    rng, outputs = np.random.default_rng(seed), bits.OUTPUTS * planes
    biases, shifts = rng.integers(-900, 900, outputs), rng.integers(0, 6, outputs)
    weights = rng.integers(-20, 21, bits.SignPredictor.numbers_of(planes) - 2 * outputs)
    return biases.astype("<i4").tobytes() + shifts.astype(np.uint8).tobytes() + weights.astype(np.int8).tobytes()


def signs_of(shape: tuple[int, int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return signs (steps, 1, rows, columns) and the steps that every place has."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, shape[0] + 1, shape[1:]).astype(np.uint8)
    values = np.where(rng.random(shape) < 0.3, -1, 1)
    return np.where(np.arange(shape[0])[:, None, None] < counts, values, 0).astype(np.int8)[:, None], counts


def written(planes: int, signs: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, bytes]:
    """Return the start values and the stream of signs."""
    starts = np.random.default_rng(1).integers(1, 65535, 576).astype(np.uint16)
    encoder = bits.Encoder(starts)
    encoder.write(*bits.sign_bits(bits.stored_predictor(stored(planes), planes), signs, counts))
    return starts, encoder.stream()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_contexts_are_those_of_the_format(shape: tuple[int, int, int]) -> None:
    planes, h, w = shape
    for seed in range(4):
        signs, counts = signs_of(shape, seed)
        picked: list[int] = []

        def bit(context: int, *place: int, signs: np.ndarray = signs, picked: list[int] = picked) -> int:
            picked.append(context)
            return int(signs[place[0], 0, place[1], place[2]] > 0)

        reference = predictor_reference.Predictor(stored(planes, seed), planes)
        found = predictor_reference.contexts(reference, planes, h, w, lambda p, i, j: p < counts[i, j], bit)  # noqa: B023
        coded, contexts = bits.sign_bits(bits.stored_predictor(stored(planes, seed), planes), signs, counts)
        np.testing.assert_array_equal(found, signs[:, 0])
        assert contexts.tolist() == picked
        assert coded.size == counts.sum()
    assert len(set(picked)) > 3 or planes == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_signs_come_back_and_of_a_cut_stream_the_first_ones(shape: tuple[int, int, int]) -> None:
    signs, counts = signs_of(shape)
    starts, stream = written(shape[0], signs, counts)
    predictor = bits.stored_predictor(stored(shape[0]), shape[0])
    decoder = bits.Decoder(starts, stream)
    np.testing.assert_array_equal(decoder.read_signs(predictor, (shape[0], 1), counts), signs)
    decoder.finish()
    for size in range(len(stream)):
        decoder = bits.Decoder(starts, stream[:size], cut=True)
        found = decoder.read_signs(predictor, (shape[0], 1), counts)
        assert np.count_nonzero(found) == decoder.decoded
        np.testing.assert_array_equal(found[found != 0], signs[found != 0])
        last = int(np.flatnonzero(found.any((1, 2, 3))).max(initial=-1))
        np.testing.assert_array_equal(found[: max(last, 0)], signs[: max(last, 0)])


def test_damaged_streams_are_refused_or_read() -> None:
    """And nothing else is raised. In a whole stream the check finds what was changed, but for one of 65536."""
    signs, counts = signs_of((20, 5, 6))
    starts, stream = written(20, signs, counts)
    predictor, rng, refused = bits.stored_predictor(stored(20), 20), np.random.default_rng(2), 0
    for _ in range(300):
        changed = bytearray(stream)
        changed[rng.integers(3, len(stream))] ^= int(rng.integers(1, 256))
        wrong = bytes(changed[: rng.integers(1, len(stream) + 1)]) + bytes(int(rng.integers(0, 3)))
        for cut in (False, True):
            try:
                decoder = bits.Decoder(starts, wrong, cut=cut)
                decoder.read_signs(predictor, (20, 1), counts)
                decoder.finish()
            except LicError:
                refused += not cut
    assert refused >= 298
    with pytest.raises(LicDamagedError, match="ends before its last bit"):
        bits.Decoder(starts, stream[:9]).read_signs(predictor, (20, 1), counts)


def test_numbers_that_no_predictor_has_are_refused() -> None:
    whole, outputs = stored(3), bits.OUTPUTS * 3
    for wrong, said in (
        (whole[:-1], "numbers of 1 to 1024 planes"),
        (whole[: 4 * outputs] + b"\x11" + whole[4 * outputs + 1 :], "shifts must be 0 to 16"),
        (whole[: 5 * outputs] + b"\x80" + whole[5 * outputs + 1 :], "weights must be -127 to 127"),
        (b"\xff\xff\xff\x00" + whole[4:], "plane 0 may leave 24 bits"),
    ):
        with pytest.raises(ValueError, match=said):
            bits.stored_predictor(wrong, 3)


def test_signs_of_other_sizes_are_refused() -> None:
    predictor, (signs, counts) = bits.stored_predictor(stored(3), 3), signs_of((3, 4, 5))
    with pytest.raises(ValueError, match="2 planes but 3 of the predictor"):
        bits.sign_bits(predictor, signs[:2], counts)
    with pytest.raises(ValueError, match="4 rows but 3 rows of counts"):
        bits.sign_bits(predictor, signs, counts[:3])
    with pytest.raises(ValueError, match="4 planes but 3 of the predictor"):
        bits.Decoder(*written(3, signs, counts)).read_signs(predictor, (4, 1), counts)
