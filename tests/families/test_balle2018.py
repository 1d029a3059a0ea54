"""`balle2018`: the hyperprior's exact network, and that it saves bytes."""

import numpy as np
import onnx
import pytest
from made.pictures import SAMPLE, photo_like
from PIL import Image
from reference import exact_reference

from pillow_lic import codec, families
from pillow_lic.engine import entropy, models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError, LicDesyncError
from pillow_lic.families import balle2018
from pillow_lic.families.shared import transform
from pillow_lic.fileformat import container
from pillow_lic.options import EncodeOptions

MODEL = models.choose("balle2018")
FIXED = models.choose("balle2017")


@pytest.mark.parametrize(("level", "share"), [(200, 0.98), (800, 0.94)])
def test_a_photograph_takes_fewer_bytes_than_with_fixed_tables(level: int, share: float) -> None:
    with Image.open(SAMPLE) as im:
        cat = np.asarray(im.convert("RGB"))
    q = transform.rounded(transform.latents(FIXED, cat, level))
    fixed = entropy.encode(FIXED.tables, q, transform.tables_by_channel(FIXED, q.shape, level))
    (own,) = balle2018.encode(MODEL, cat, level)
    assert len(own) < share * len(fixed)


@pytest.mark.parametrize("level", [0, 77, 512, 1024])
def test_the_scales_are_exact(level: int) -> None:
    """Integer arithmetic gives what the engine gives, for hyper-latents beyond the clip too."""
    z = np.random.default_rng(level).integers(-140, 141, (1, 64, 3, 2))
    feeds = {"z_hat": z, "level": np.full((1, 1, 1, 1), level)}
    exact = exact_reference.evaluate(onnx.load_from_string(MODEL.stored("scales").read()), feeds)[0]
    engine = MODEL.run("scales", **{name: value.astype(np.float32) for name, value in feeds.items()})[0]
    np.testing.assert_array_equal(engine, exact)
    assert exact.min() >= 0
    assert exact.max() < balle2018.SCALES
    assert len(np.unique(exact)) > 8


def test_a_scale_index_that_differs_is_a_desync_or_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    data, run = codec.encode(photo_like(64, 64), "RGB", EncodeOptions(model="balle2018", quality=5)), Model.run

    def other(self: Model, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        made = run(self, role, **feeds)
        return [made[0] ^ 1] if role == "scales" else made

    monkeypatch.setattr(Model, "run", other)
    with pytest.raises((LicDesyncError, LicDamagedError)):
        codec.decode(data)


def test_what_a_tile_holds() -> None:
    data = codec.encode(photo_like(70, 40), "RGB", EncodeOptions(model="balle2018", quality=5))
    parts = container.unpack(data)
    assert parts.tiles[0] is not None
    tile = families.Coded(parts.tiles[0], parts.header.tiling.whole, parts.header.level, None)
    held = families.dump(MODEL, tile)
    assert {name: value.shape for name, value in held.items()} == {
        "symbols": (256, 5, 3),
        "indexes": (256, 5, 3),
        "hyper_latents": (64, 2, 1),
    }
    assert held["indexes"].max() < balle2018.SCALES
