"""Parts of networks that run on strips give what they give at once."""

import numpy as np
import pytest

from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import detail, filtering, transforms
from pillow_lic.families.lic1 import synthesis as trunk
from pillow_lic.families.lic1.geometry import geometry


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


@pytest.mark.parametrize(("native", "rows", "pieces"), [(False, 54, [36, 36]), (True, 54, [68]), (True, 110, [58, 58])])
def test_large_pieces_are_cut_and_are_the_whole_up_to_one_level(
    native: bool, rows: int, pieces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if native and not trunk.Synthesis.fast():
        pytest.skip("no kernels for this processor: the synthesis is a network")
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
    if not native:
        monkeypatch.setattr(trunk, "_native", lambda model: None)
    with settings(threads=1):
        off = np.abs(transforms.synthesis(spec, y_hat, level) - whole)
    assert seen == pieces
    assert 0 < off.max() <= filtering.UNIT
    assert np.count_nonzero(off >= filtering.UNIT / 2) < 5e-3 * off.size
