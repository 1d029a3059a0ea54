"""The file that the options ask for: never larger than the lossless one, within its target, of every mode."""

from unittest import mock

import numpy as np
import pytest
from made.drawn_pages import page, soft_lines
from made.pictures import photo_like
from PIL import Image

import pillow_lic
from pillow_lic import metrics
from pillow_lic.engine import models
from pillow_lic.exact import choice
from pillow_lic.fileformat import container
from pillow_lic.writing import composing


@pytest.mark.parametrize("quality", [2, 6, 10])
def test_no_file_is_larger_than_the_lossless_one(quality: float) -> None:
    across, down = np.meshgrid(np.arange(96), np.arange(80))
    smooth = np.stack([across + down, 2 * across, 255 - across - down], 2).astype(np.uint8)
    icon = page(32, 32, with_photo=False)
    for im in (Image.fromarray(smooth), icon, Image.new("RGB", (200, 100), "#336699"), Image.fromarray(soft_lines())):
        assert len(pillow_lic.encode(im, quality=quality)) <= len(pillow_lic.encode(im, lossless=True))


def test_a_drawn_picture_as_it_is_may_cost_more_from_quality_5_on() -> None:
    for quality, favour in ((4.9, 1), (5, choice.FAVOUR_OF_LETTERS)):
        with mock.patch.object(composing, "_as_it_is_within", return_value=None) as asked:
            data = pillow_lic.encode(page(), quality=quality)
        assert asked.call_args.args[1] == pytest.approx(8 * len(data) * favour)


def test_a_layer_keeps_no_target_out_of_reach() -> None:
    """What is dithered is drawn, and its layer alone takes more than all of the picture without it."""
    im = Image.fromarray(photo_like(96, 160, 3)).convert("P", palette=Image.Palette.ADAPTIVE, colors=64).convert("RGB")
    drawn = pillow_lic.encode(im, quality=1), pillow_lic.encode(im, quality=5)
    most = len(pillow_lic.encode(im, quality=3, exact=False))
    assert container.unpack(drawn[1]).header.model_id == models.choose("lossless").number
    assert len(pillow_lic.encode(im, target_size=most)) <= most
    assert 8 * len(pillow_lic.encode(im, target_bpp=8 * most / (96 * 160))) <= 8 * most


@pytest.mark.parametrize("mode", ["L", "LA", "RGB"])
def test_a_page_of_every_mode_reaches_a_psnr(mode: str) -> None:
    im = page(96, 64).convert(mode)
    again = pillow_lic.open(pillow_lic.encode(im, target_psnr=33))
    assert again.mode == mode
    assert metrics.psnr(np.asarray(again.convert("RGB")), np.asarray(im.convert("RGB"))) >= 32.9
