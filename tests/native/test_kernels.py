"""Kernels of every instruction set that there is here compute the same, to the last bit, whatever they are given."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pillow_lic import _native
from pillow_lic.engine import models
from pillow_lic.families.lic1 import detail, filtering, scales, synthesis

SPEC = models.choose("lic2")
# By set of x86-64, the best first, what Linux calls it in /proc/cpuinfo where processor and system have it.
FLAGS = {
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"},
    "avxvnni": {"avx2", "avx_vnni"},
    "avx2": {"avx2"},
    "sse2": {"sse2"},
}
SIZES = [(2, 2), (4, 10), (2, 36), (8, 14)]


@pytest.fixture(params=_native.kernels()[:-1])
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    _native.use_kernels(_native.kernels()[0])


def numbers(role: str) -> np.ndarray:
    return np.frombuffer(SPEC.stored(role).read(), np.uint8)


def wild(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Return numbers of all sizes, and some that are none."""
    made = (rng.normal(size=shape) * 10.0 ** rng.integers(-4, 12, shape)).astype(np.float32)
    made[rng.random(shape) < 0.01] = np.nan
    made[rng.random(shape) < 0.01] = np.inf
    return made


def test_the_last_are_plain_and_others_are_refused() -> None:
    assert _native.kernels()[-1] == "plain"
    with pytest.raises(ValueError, match="no kernels of the name mmx"):
        _native.use_kernels("mmx")


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="asks Linux what an x86-64 has")
def test_every_set_that_the_processor_has_is_there_the_best_first() -> None:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    has = set(next(line for line in lines if line.startswith("flags")).partition(":")[2].split())
    found = _native.kernels()
    assert found == [name for name in [*FLAGS, "plain"] if name in found]
    assert {name for name, needed in FLAGS.items() if needed <= has} <= {*found}


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("kind", ["flat", "fields", "wild"])
def test_synthesis(kernels: str, rows: int, columns: int, kind: str) -> None:
    rng, network = np.random.default_rng(1), _native.Synthesis(numbers(synthesis.NUMBERS))
    latents = (
        wild(rng, 384, rows, columns) if kind == "wild" else rng.normal(size=(384, rows, columns)).astype(np.float32)
    )
    level = np.full((rows, columns), 300.5, np.float32) if kind == "flat" else wild(rng, rows, columns)

    def drawn(name: str) -> list[np.ndarray]:
        _native.use_kernels(name)
        made = [np.empty((12, 8 * rows, 8 * columns), np.float32), np.empty((16, 2 * rows, 2 * columns), np.float32)]
        network.draw(latents, level, *made)
        return made

    for found, expected in zip(drawn(kernels), drawn("plain"), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert len(np.unique(expected)) > 10


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("stage", [0, 1, 2])
@pytest.mark.parametrize("make", [wild, lambda rng, *shape: rng.integers(0, 9, shape).astype(np.float32)])
def test_scales(kernels: str, rows: int, columns: int, stage: int, make) -> None:
    rng, stages = np.random.default_rng(1), _native.Scales(numbers(scales.NUMBERS), 3)
    features = make(rng, 80, rows, columns)
    magnitudes = rng.integers(0, 256, (384, rows, columns)).astype(np.uint8) if stage else None
    level = rng.integers(0, 1025, (rows, columns)).astype(np.float32)

    def found(name: str) -> np.ndarray:
        _native.use_kernels(name)
        index = np.empty((384 * (1 + (stage == 2)), rows // 2, columns // 2), np.uint8)
        for part in {(0, rows // 4), (rows // 4, rows // 2)} - {(0, 0)}:
            stages.find(stage, features, level, magnitudes, index, *part)
        return index

    np.testing.assert_array_equal(found(kernels), found("plain"))


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("kind", ["picture", "wild"])
def test_detail(kernels: str, rows: int, columns: int, kind: str) -> None:
    rng, layers = np.random.default_rng(1), _native.Detail(np.frombuffer(SPEC.stored(detail.NUMBERS).read(), "<f4"))
    picture, context = wild(rng, 12, 8 * rows, 8 * columns), wild(rng, 16, 2 * rows, 2 * columns)
    level = rng.uniform(0, 1024, (rows, columns)).astype(np.float32)
    if kind == "picture":
        picture, context = rng.uniform(-9, 264, picture.shape).astype(np.float32), context.clip(-2, 2)

    def drawn(name: str) -> np.ndarray:
        _native.use_kernels(name)
        out = np.empty((16 * rows, 16 * columns, 3), np.uint16)
        layers.draw(picture, context, level, (0, 0, rows, columns), out)
        return out

    np.testing.assert_array_equal(drawn(kernels), drawn("plain"))
    assert len(np.unique(drawn("plain"))) > 10


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (6, 20)])
def test_canvas(kernels: str, rows: int, columns: int) -> None:
    rng, network = np.random.default_rng(1), _native.Synthesis(numbers(synthesis.NUMBERS))
    layers = _native.Detail(np.frombuffer(SPEC.stored(detail.NUMBERS).read(), "<f4"))
    y_hat = rng.normal(0, 1, (384, rows, columns)).astype(np.float32)
    level = rng.uniform(0, 1024, (rows, columns)).astype(np.float32)
    place = (rows // 3, columns // 4, rows - rows // 3, columns - columns // 4)

    def drawn(name: str) -> np.ndarray:
        _native.use_kernels(name)
        out = np.empty((16 * place[2], 16 * place[3], 3), np.uint16)
        network.paint(layers, y_hat, level, place, out)
        return out

    np.testing.assert_array_equal(drawn(kernels), drawn("plain"))
    assert len(np.unique(drawn("plain"))) > 10


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (9, 15), (40, 64)])
@pytest.mark.parametrize(("largest", "threshold", "shift"), [(127, 4080, 6), (127, 0, 0), (1, 40, 9)])
@pytest.mark.parametrize("kind", ["all", "few", "first"])
def test_filter(kernels: str, size: tuple[int, int], largest: int, threshold: int, shift: int, kind: str) -> None:
    rng = np.random.default_rng(2)
    fine = (4080 * rng.integers(0, 2, (*size, 3))).astype(np.uint16)
    taps = rng.integers(-largest, largest + 1, (3, filtering.TAPS)).astype(np.int16)
    taps[:, filtering.PLAIN if kind == "first" else filtering.TAPS :] = 0
    taps[rng.random(taps.shape) < (0.9 if kind == "few" else 0)] = 0
    height, width = size
    for inside in ((0, 0, height, width), (height // 3, width // 4, height - height // 3, width - width // 4)):
        made = np.empty((2, inside[2] + 1, inside[3] + 2, 3), np.uint8)[:, :-1, :-2]
        for name, out in zip((kernels, "plain"), made, strict=True):
            _native.use_kernels(name)
            _native.filtered(fine, inside, *filtering.parts(taps), threshold, shift, out)
        np.testing.assert_array_equal(*made)
