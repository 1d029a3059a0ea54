"""`rippel2017`: what its file says is enough to decode it, beginnings and cuts of files."""

import io

import numpy as np
import pytest
from made.pictures import photo_like
from PIL import Image
from reference import bitplanes_reference, stranger

import pillow_lic
from families.coded import cat, check_format, encoded, in_tiles
from pillow_lic import codec, families, inspecting, metrics
from pillow_lic.engine import models, runtime
from pillow_lic.errors import LicRuntimeError

MODEL = models.choose("rippel2017")


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    rows, columns = (2 * -(-length // 16) for length in shape)
    q = bitplanes_reference.symbols(model.starts, coded[0], (model.constants["latents"], rows, columns))
    pixels = model.run("synthesis", q=q[None], level=np.full((1, 1, 1, 1), level))["pixels"]
    return pixels[0, : shape[0], : shape[1]]


@pytest.mark.parametrize("quality", [1, 5.6, 10])
def test_the_format_is_enough_to_decode(quality: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, "rippel2017", decode_alone)
    whole = encoded(MODEL, photo_like(40, 70, 4, seed=3), "RGBA", quality=quality)
    check_format(whole, inspecting.cut(whole, len(whole) - 30), in_tiles(MODEL, photo_like(30, 150), 128, 400))


def test_a_cut_file_is_valid_and_near_its_size() -> None:
    data, reached = encoded(MODEL, cat(), quality=8), []
    for share in (0.2, 0.45, 0.7, 0.95):
        size = int(share * len(data))
        smaller = pillow_lic.cut(data, size)
        assert 0.9 * size <= len(smaller) <= size
        inspecting.verify(smaller)
        reached.append(metrics.ms_ssim(cat(), codec.decode(smaller)[1]))
        assert pillow_lic.cut(data, len(smaller)) == smaller
    assert reached == sorted(reached)
    assert reached[0] > 0.5


def test_any_beginning_shows_all_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    data, reached = encoded(MODEL, cat(), quality=8), []
    for share in (0.1, 0.4, 0.9):
        with pillow_lic.open(data, bytes=int(share * len(data))) as im:
            reached.append(metrics.ms_ssim(cat(), np.asarray(im)))
    assert reached == sorted(reached)
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    with Image.open(io.BytesIO(data[: int(0.9 * len(data))])) as im:
        assert metrics.ms_ssim(cat(), np.asarray(im)) == pytest.approx(reached[-1], abs=0.01)
    with Image.open(io.BytesIO(data[:33])) as im:
        assert set(np.asarray(im).ravel()) == {families.MISSING}


def test_latents_that_are_no_numbers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [np.full((1, 96, 2, 2), np.nan, np.float32)]
    monkeypatch.setattr(runtime, "run", lambda *_, **__: made)
    with pytest.raises(LicRuntimeError, match="the engine failed"):
        encoded(MODEL, photo_like(16, 16))
