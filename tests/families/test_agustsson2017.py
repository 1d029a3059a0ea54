"""`agustsson2017`: what its file says is enough to decode it; its centres."""

import numpy as np
import pytest
from made.pictures import photo_like
from reference import stranger

from families.coded import check_format, encoded, of_one_and_two_tiles
from pillow_lic import codec
from pillow_lic.engine import entropy, models
from pillow_lic.errors import LicDamagedError
from pillow_lic.families import agustsson2017
from pillow_lic.families.shared import transform
from pillow_lic.fileformat import container, streams
from pillow_lic.inspecting.dump import dump

MODEL = models.choose("agustsson2017")


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.12."""
    (stream,), channels = coded, model.constants["latents"]
    centres = np.frombuffer(model.files["centres"].read_bytes(), "<f4")
    h, w = (-(-length // 8) for length in shape)
    coder = stranger.Stream(model, stream)
    q = [coder.symbol(channels * ((level + 64) // 128) + channel) for channel in range(channels) for _ in range(h * w)]
    coder.finish(q)
    made = model.run("synthesis", q=centres[np.reshape(q, (1, channels, h, w))], level=np.full((1, 1, 1, 1), level))
    return made["pixels"][0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "agustsson2017", decode_alone)
    check_format(*of_one_and_two_tiles(MODEL, quality))


def test_every_latent_is_a_centre_and_none_is_nearer() -> None:
    centres = agustsson2017._centres(MODEL)
    assert (np.diff(centres) > 0).all()
    pixels = photo_like(48, 64, seed=1)
    found = dump(encoded(MODEL, pixels, quality=8))
    y = transform.latents(MODEL, pixels, int(found["level"]))
    nearest = np.abs(y[..., None] - centres).min(-1)
    np.testing.assert_allclose(np.abs(y - found["tile_0/latents"]), nearest, atol=1e-5)
    assert set(np.unique(found["tile_0/latents"])) <= set(centres)


def test_a_symbol_without_a_centre_is_refused() -> None:
    data = encoded(MODEL, photo_like(16, 16), quality=5)
    header = container.unpack(data).header
    for number in (-1, len(agustsson2017._centres(MODEL))):
        q = np.full((64, 2, 2), number, np.int16)
        stream = entropy.encode(MODEL.tables, q, transform.tables_by_channel(MODEL, q.shape, header.level))
        with pytest.raises(LicDamagedError, match="have the numbers 0 to 64, got"):
            codec.decode(container.pack(header, [streams.pack([stream])]))
