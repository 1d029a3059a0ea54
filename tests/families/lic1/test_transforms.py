"""Parts of networks that run on strips give what they give at once."""

import numpy as np
import pytest

from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import detail, filtering, transforms
from pillow_lic.families.lic1 import synthesis as trunk
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.fileformat.areas import Area


@pytest.mark.parametrize(("rows", "runs"), [(1, 1), (16, 1), (17, 2), (40, 3)])
def test_strips_are_the_whole(rows: int, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no strip is larger than a strip and what it sees around it."""
    spec, rng = models.choose(None), np.random.default_rng(0)
    y_hat = rng.normal(0, 2, (spec.constants["latents"], rows, 3)).astype(np.float32)
    level = rng.integers(0, 1025, (rows, 3)).astype(np.float32)
    seen: list[int] = []
    run = runtime.run

    def counted(spec, role, feeds, **kwargs):
        if role == "detail":
            seen.append(feeds["level"].shape[2])
        return run(spec, role, feeds, **kwargs)

    monkeypatch.setattr(runtime, "run", counted)
    found = transforms.synthesis(spec, y_hat, level, reference=True).astype(int)
    assert len(seen) == runs
    assert max(seen) <= detail.STRIP_ROWS + 2 * geometry(spec).detail_reach
    monkeypatch.setattr(detail, "STRIP_ROWS", rows)
    whole = transforms.synthesis(spec, y_hat, level, reference=True)
    assert whole.shape == (16 * rows, 48, 3)
    assert np.abs(found - whole).max() <= 1
    assert (found != whole).mean() < 0.001


def test_large_pieces_are_cut_and_are_the_whole_up_to_one_level(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, pieces = 54, [36, 36]
    spec, rng = models.choose("lic2"), np.random.default_rng(1)
    y_hat = rng.normal(0, 0.3, (spec.constants["latents"], rows, 68)).astype(np.float32)
    level = np.full((rows, 68), 300, np.float32)
    whole = transforms.synthesis(spec, y_hat, level, reference=True).astype(int)
    seen: list[int] = []
    draw = trunk.draw

    def counted(spec, y_hat, level, *, reference):
        seen.append(level.shape[np.argmax(whole.shape[:2])])
        return draw(spec, y_hat, level, reference=reference)

    monkeypatch.setattr(trunk, "draw", counted)
    monkeypatch.setattr(trunk, "_native", lambda model: None)
    with settings(threads=1):
        off = np.abs(transforms.synthesis(spec, y_hat, level) - whole)
    assert seen == pieces
    assert 0 < off.max() <= filtering.UNIT
    assert np.count_nonzero(off >= filtering.UNIT / 2) < 5e-3 * off.size


@pytest.mark.skipif(not trunk.Synthesis.fast(), reason="no kernels for this processor: the synthesis is a network")
@pytest.mark.parametrize(("rows", "columns"), [(30, 50), (61, 7)])
def test_native_pixels_are_the_same_with_every_number_of_threads(rows: int, columns: int) -> None:
    """Of all of a window, and of a part as they are of all."""
    spec, rng = models.choose("lic2"), np.random.default_rng(1)
    y_hat = rng.normal(0, 0.3, (spec.constants["latents"], rows, columns)).astype(np.float32)
    level = rng.uniform(0, 1024, (rows, columns)).astype(np.float32)
    with settings(threads=1):
        whole = transforms.synthesis(spec, y_hat, level)
    inside = Area(2, 5, columns - 1, rows - 3)
    for threads in (2, 3, 8):
        with settings(threads=threads):
            np.testing.assert_array_equal(transforms.synthesis(spec, y_hat, level), whole)
            found = transforms.synthesis(spec, y_hat, level, inside=inside)
            np.testing.assert_array_equal(found, whole[inside.times(16).slices])
