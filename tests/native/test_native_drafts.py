"""Drafts in native code: pixels of the networks but for a level here and there."""

import dataclasses

import numpy as np
import pytest

from native import instead
from pillow_lic import _native, codec
from pillow_lic.engine import models, runtime
from pillow_lic.engine.models import Model
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import drafting, passes, reading
from pillow_lic.options import EncodeOptions

SPEC = models.choose("lic2")
SCALES = drafting.drafts(SPEC)
has_kernels = pytest.mark.skipif(
    not (_native.Means.fast() and _native.Draft.fast()), reason="no kernels for this processor: the networks run"
)


def told(rows: int, columns: int, inside: tuple[int, int]) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Return z_hat, values of every pass and levels, of which some are the ends of the scale."""
    rng = np.random.default_rng(rows)
    level = rng.integers(0, 1025, (rows, columns)).astype(np.float32)
    level[0, :2] = 0, 1024
    sizes = [passes.gather(np.zeros((384, rows, columns)), t, inside).size for t in range(passes.PASSES)]
    values = [rng.integers(-60, 61, size).astype(np.int32) for size in sizes]
    return rng.integers(-9, 10, (64, rows // 4, columns // 4)).astype(np.float32), values, level


def latents_of(model: Model, cat: np.ndarray, quality: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the latents of a draft of a photograph, and their levels, from place to place others."""
    data = codec.encode(cat, "RGB", EncodeOptions(quality=quality, model=model.name, roi=[(0, 0, 100, 90)]))
    seen = []
    original = drafting.draw

    def noted(model: Model, scale: int, y_hat: np.ndarray, level: np.ndarray) -> np.ndarray:
        seen.append((y_hat, level))
        return original(model, scale, y_hat, level)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.drafting, "draw", noted)
        codec.decode(data, scale=8)
    y_hat, level = seen[0]
    return np.ascontiguousarray(y_hat), np.ascontiguousarray(level, np.float32)


@has_kernels
@pytest.mark.parametrize("inside", [(1, 1), (4, 4), (7, 18), (12, 16), (17, 3), (4, 67)])
def test_latents_are_those_of_the_network(inside: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows, columns = (-(-length // 4) * 4 for length in inside)
    z_hat, values, level = told(rows, columns, inside)
    only_graphs = {role: file for role, file in SPEC.extras.items() if not role.endswith("_numbers")}
    expected = drafting.latents(dataclasses.replace(SPEC, extras=only_graphs), z_hat, values, level, inside)
    monkeypatch.setattr(runtime, "run", None)
    for threads in (1, 3):
        with settings(threads=threads):
            found = drafting.latents(SPEC, z_hat, values, level, inside)
        np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())
    assert np.abs(expected[:96] - found[96:192]).max() > 1


@has_kernels
@pytest.mark.parametrize("name", ["lic1", "lic2"])
@pytest.mark.parametrize("quality", [1, 6, 10])
def test_pixels_are_those_of_the_network(
    name: str, quality: float, cat: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.choose(name)
    y_hat, level = latents_of(model, cat, quality)
    expected = {s: model.run(f"draft_{s}", y_hat=y_hat[None], level=level[None, None])[0][0] for s in SCALES}
    monkeypatch.setattr(runtime, "run", None)
    for scale in SCALES:
        found = drafting.draw(model, scale, y_hat, level)
        assert found.std() > 20
        off = np.abs(found.astype(int) - expected[scale])
        assert off.max() <= 1
        assert (off > 0).mean() < 0.03


@has_kernels
@pytest.mark.parametrize("scale", SCALES)
def test_pixels_are_the_same_by_all_kernels_and_threads(scale: int, cat: np.ndarray) -> None:
    y_hat, level = latents_of(SPEC, cat, 5)
    with settings(threads=1):
        whole = drafting.draw(SPEC, scale, y_hat, level)
    with settings(threads=3):
        np.testing.assert_array_equal(drafting.draw(SPEC, scale, y_hat, level), whole)
    head, side = drafting._head(SPEC, scale), 16 // scale
    assert head is not None
    found = np.full_like(whole, 7)
    for first in range(len(level)):
        head.draw(y_hat, level, found, first, first + 1)
        assert (found[side * (first + 1) :] == 7).all()
    np.testing.assert_array_equal(found, whole)
    for columns in (1, 2, 6, 7):
        part = drafting.draw(SPEC, scale, y_hat[..., :columns], level[:, :columns])
        np.testing.assert_array_equal(part[:, : side * (columns - 1)], whole[:, : side * (columns - 1)])
    try:
        for name in _native.kernels():
            _native.use_kernels(name)
            np.testing.assert_array_equal(drafting.draw(SPEC, scale, y_hat, level), whole)
    finally:
        _native.use_kernels(_native.kernels()[0])


@pytest.mark.parametrize(("providers", "bare"), [("cpu", True), ("cuda,cpu", False)])
def test_else_the_networks_run(providers: str, bare: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    roles = instead.roles_that_run(monkeypatch, "level")
    spec = SPEC
    if bare:  # numbers of none, and heads of other shapes
        spec = dataclasses.replace(SPEC, extras={})
        monkeypatch.setattr(drafting, "_head", lambda *_: None)
    z_hat, values, level = told(4, 4, (4, 4))
    with settings(providers=providers):
        drafting.latents(spec, z_hat, values, level, (4, 4))
        drafting.draw(spec, 4, np.zeros((384, 4, 4), np.float32), level)
    assert roles == ["draft_means", "draft_4"]


def test_levels_and_latents_that_are_no_numbers_give_pixels() -> None:
    y_hat, level = np.full((384, 3, 5), np.nan, np.float32), np.full((3, 5), 300, np.float32)
    level[1] = np.nan, np.inf, -np.inf, 9e9, -5
    assert drafting._head(SPEC, 8) is not None
    drafting.draw(SPEC, 8, y_hat, level)
    y_hat[:] = np.inf
    drafting.draw(SPEC, 8, y_hat, level)


def test_arrays_and_files_of_other_shapes_are_errors() -> None:
    numbers = np.zeros(4 * 9 * 32 + 16 * (8 + 2 * (32 + 8 * 6)), np.uint8)
    numbers[4 * 9 * 32 + 4 * 16 : 4 * 9 * 32 + 8 * 16 : 4] = 5  # shifts
    head = _native.Draft(numbers, 32, 6, 2)
    with pytest.raises(ValueError, match="of the layers"):
        _native.Draft(numbers[1:], 32, 6, 2)
    for sizes in ((0, 0, 2), (30, 6, 2), (32, 5, 2), (32, 34, 2), (32, 6, 0), (32, 6, 17), (4104, 6, 2)):
        with pytest.raises(ValueError, match="multiple of 8"):
            _native.Draft(numbers, *sizes)
    y_hat, level, pixels = (np.zeros(s, t) for s, t in (((32, 3, 5), "f4"), ((3, 5), "f4"), ((6, 10, 3), "u1")))
    head.draw(y_hat, level, pixels, 0, 3)
    for arrays, said in (
        ((y_hat[1:], level, pixels), "latents for every"),
        ((y_hat[:, 1:].copy(), level, pixels), "latents for every"),
        ((y_hat, level, pixels[1:]), "latents for every"),
        ((y_hat[:, :0].copy(), level[:0], pixels[:0]), "must be levels"),
    ):
        with pytest.raises(ValueError, match=said):
            head.draw(*arrays, 0, 3)
    for rows in ((2, 1), (0, 4)):
        with pytest.raises(ValueError, match="rows"):
            head.draw(y_hat, level, pixels, *rows)
