"""What holds for every model that writes by networks, whatever its family: sizes, modes, 4 megapixels, what is refused, damage."""

import io

import numpy as np
import pytest
from engine.released import WRITING, name_and_number
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from families.coded import encoded
from pillow_lic import codec
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicError
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import CHANNELS

every_model = pytest.mark.parametrize("model", [model for model in WRITING if model.files], ids=name_and_number)
"""All but `lossless`, which has no networks and knows no quality: tests/codec/test_lossless.py."""


@every_model
@pytest.mark.parametrize(
    ("height", "width", "mode"),
    [(1, 1, "L"), (1, 1, "RGBA"), (1, 130, "LA"), (17, 16, "RGB"), (70, 9, "L"), (40, 33, "RGBA")],
)
def test_a_picture_comes_back_with_its_size_mode_and_alpha(model: Model, height: int, width: int, mode: str) -> None:
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    im = Image.fromarray(pixels.squeeze(2) if mode == "L" else pixels, mode)
    with pillow_lic.open(pillow_lic.encode(im, model=model.name, quality=8, exact=False)) as shown:
        assert (shown.size, shown.mode, shown.info["lic_model"]) == ((width, height), mode, model.name)
        found = np.asarray(shown).reshape(pixels.shape)
    assert np.abs(found.astype(int) - pixels).mean() < 24
    if mode.endswith("A"):
        np.testing.assert_array_equal(found[..., -1], pixels[..., -1])


@pytest.mark.parametrize(
    "name", ["jiang2017", "johnston2018", "minnen2017", "restored", "toderici2015", "toderici2017"]
)
def test_four_megapixels_come_back(name: str) -> None:
    """Those of other families have this test, with more than one tile, in tests of their own."""
    model = models.choose(name)
    pixels = np.tile(photo_like(256, 256), (8, 8, 1))
    header, shown = codec.decode(encoded(model, pixels, quality=1))
    assert (header.width, header.height, shown.shape) == (2048, 2048, pixels.shape)
    assert np.abs(shown.astype(int) - pixels).mean() < 24


@every_model
@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_other_numbers_than_bytes_are_refused_in_a_sentence(model: Model, mode: str) -> None:
    with pytest.raises(OSError, match="mode") as error:
        pillow_lic.encode(Image.new(mode, (8, 8)), model=model.name)
    assert "\n" not in str(error.value)


@every_model
def test_a_damaged_payload_is_refused_in_a_sentence_or_shown(model: Model) -> None:
    """Checksums of the container are right, so that bytes reach the family."""
    content = container.unpack(encoded(model, photo_like(24, 40), quality=5))
    (payload,) = content.tiles or (b"",)
    rng, said = np.random.default_rng(model.number), []
    for _ in range(40):
        damaged = bytearray(payload)
        for place in rng.integers(0, max(1, len(payload)), int(rng.integers(1, 4))):
            damaged[place : place + 1] = rng.integers(0, 256, int(rng.integers(0, 3)), np.uint8).tobytes()
        data = container.pack(content.header, [bytes(damaged[: rng.integers(len(damaged) // 2, len(damaged) + 1)])])
        for read in (
            lambda data=data: codec.decode(data)[1],
            lambda data=data: pillow_lic.open(io.BytesIO(data)).load(),
        ):
            try:
                read()
            except LicError as error:
                said.append(str(error))
    assert said
    assert not any("\n" in words for words in said)
