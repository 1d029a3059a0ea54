"""`autoencoder`: what its file says is enough to decode it."""

import numpy as np
import pytest
from made.pictures import photo_like
from reference import stranger

from families.coded import check_format, encoded, of_one_and_two_tiles
from pillow_lic.engine import models, runtime
from pillow_lic.errors import LicRuntimeError

MODEL = models.choose("autoencoder")


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.11."""
    (stream,), channels = coded, model.constants["latents"]
    h, w = (-(-length // 8) for length in shape)
    coder = stranger.Stream(model, stream)
    q = [coder.symbol(channels * ((level + 64) // 128) + channel) for channel in range(channels) for _ in range(h * w)]
    coder.finish(q)
    made = model.run("synthesis", q=np.reshape(q, (1, channels, h, w)), level=np.full((1, 1, 1, 1), level))
    return made["pixels"][0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "autoencoder", decode_alone)
    check_format(*of_one_and_two_tiles(MODEL, quality))


def test_latents_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (np.nan, 40000.0):
        monkeypatch.setattr(runtime, "run", lambda *_, value=value: [np.full((1, 96, 2, 2), value, np.float32)])
        with pytest.raises(LicRuntimeError, match="32767 is the most"):
            encoded(MODEL, photo_like(16, 16))
