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


@pytest.mark.parametrize(("level", "share"), [(0, 0.9), (200, 0.88), (800, 0.88)])
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
    z = np.random.default_rng(level).integers(-140, 141, (1, MODEL.constants["hyper_latents"], 3, 2))
    feeds = {"z_hat": z, "level": np.full((1, 1, 1, 1), level)}
    exact = exact_reference.evaluate(onnx.load_from_string(MODEL.stored("scales").read()), feeds)
    engine = MODEL.run("scales", **{name: value.astype(np.float32) for name, value in feeds.items()})
    for of_engine, of_integers in zip(engine, exact, strict=True):
        np.testing.assert_array_equal(of_engine, of_integers)
        assert len(np.unique(of_integers)) > 8
    assert exact[0].min() >= 0
    assert exact[0].max() < balle2018.SCALES


def told_otherwise(monkeypatch: pytest.MonkeyPatch, index: int = 0, centre: float = 0) -> None:
    """Let the network of the scales give other indexes, or centres that many steps away."""
    run = Model.run

    def other(self: Model, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        made = run(self, role, **feeds)
        return [made[0] ^ index, made[1] + np.float32(centre)] if role == "scales" else made

    monkeypatch.setattr(Model, "run", other)


def test_centres_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is coded says where the symbol is, and neither it nor the sum leaves 16 bits."""
    pixels = photo_like(40, 70)
    plain = codec.encode(pixels, "RGB", EncodeOptions(model="balle2018", quality=5))
    told_otherwise(monkeypatch, centre=-300)
    moved = codec.encode(pixels, "RGB", EncodeOptions(model="balle2018", quality=5))
    assert len(moved) > len(plain)
    picture = codec.decode(moved)[1]
    monkeypatch.undo()
    np.testing.assert_array_equal(codec.decode(plain)[1], picture)
    told_otherwise(monkeypatch, centre=60000)
    far = codec.encode(pixels, "RGB", EncodeOptions(model="balle2018", quality=5))
    assert codec.decode(far)[1].shape == pixels.shape


def test_a_scale_index_that_differs_is_a_desync_or_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    data = codec.encode(photo_like(64, 64), "RGB", EncodeOptions(model="balle2018", quality=5))
    told_otherwise(monkeypatch, index=1)
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
        "hyper_latents": (68, 2, 1),
        "centres": (4, 5, 3),
    }
    assert held["indexes"].max() < balle2018.SCALES
