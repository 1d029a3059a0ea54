"""The exact layer: what is drawn is found and comes back pixel for pixel, photographs are left alone, nothing else breaks."""

import io
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from made.drawn_pages import LEVEL, aim, nothing, page, text_of
from made.pictures import SAMPLE, photo_like
from PIL import Image, features

import pillow_lic
from pillow_lic import metrics
from pillow_lic.__main__ import main
from pillow_lic.errors import LicRuntimeError
from pillow_lic.exact import search
from pillow_lic.inspecting.description import describe
from pillow_lic.options import EncodeOptions


def test_letters_are_pixel_identical_from_quality_5_on(mixed: bytes) -> None:
    im = pillow_lic.open(mixed)
    assert (text_of(im) == text_of(page())).all()
    assert not (np.asarray(im) == np.asarray(page())).all()
    assert "exact" in [section["name"] for section in describe(mixed)["sections"]]
    im.close()
    lower = pillow_lic.open(pillow_lic.encode(page(), quality=3))
    assert metrics.psnr(text_of(page()), text_of(lower)) > 32


def test_it_costs_less_than_without(mixed: bytes) -> None:
    assert len(mixed) < 0.8 * len(pillow_lic.encode(page(), quality=5, exact=False))


def test_a_page_of_text_alone_needs_no_network() -> None:
    with mock.patch("pillow_lic.engine.runtime.run", side_effect=AssertionError("a network ran")):
        for quality in (2, 6):
            data = pillow_lic.encode(page(with_photo=False), quality=quality)
            im = pillow_lic.open(data)
            assert im.info["lic_quality"] == quality
            assert not im.info["lossless"]
            same = (np.asarray(im) == np.asarray(page(with_photo=False))).all()
            assert same == (quality == 6)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_photographs_are_left_alone(mode: str) -> None:
    with Image.open(SAMPLE) as photo:
        im = photo.convert(mode)
    assert pillow_lic.encode(im, quality=4) == pillow_lic.encode(im, quality=4, exact=False)
    for pixels in (photo_like(64, 64, 3), np.full((64, 64, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        assert search.found(pixels, LEVEL, aim, nothing) is None


def test_a_blown_out_sky_behind_branches_is_a_photograph() -> None:
    pixels = np.random.default_rng(1).integers(0, 90, (128, 128, 3), np.uint8)
    pixels[:, np.arange(128) % 16 > 5] = 255
    assert search.found(pixels, LEVEL, aim, nothing) is None


def test_regions_and_drafts_have_the_letters(mixed: bytes) -> None:
    whole = page()
    box = (3, 5, 99, 77)
    assert (np.asarray(pillow_lic.open(mixed).region(box)) == np.asarray(whole.crop(box))).all()
    draft = pillow_lic.open(mixed)
    draft.draft(None, (160, 128))
    assert draft.size == (160, 128)
    small = np.asarray(whole, np.float32).reshape(128, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(np.asarray(draft, np.float32) - small)[:, :72].max() <= 1


def test_targets_and_places_go_with_it() -> None:
    im = page()
    for words in ({"target_size": 9000}, {"target_bpp": 1.0}):
        data = pillow_lic.encode(im, **words)
        assert 8 * len(data) / (im.width * im.height) <= 1.0
    data = pillow_lic.encode(im, target_psnr=38)
    assert metrics.psnr(np.asarray(im), np.asarray(pillow_lic.open(data))) >= 37.9
    data = pillow_lic.encode(im, quality=5, roi=(200, 50, 260, 110), effort=1)
    assert (text_of(pillow_lic.open(data)) == text_of(im)).all()


def test_the_caller_names_the_places(photo: Image.Image, tmp_path: Path) -> None:
    a, mask = np.asarray(photo), np.zeros((64, 96), np.uint8)
    mask[10:20, 30:50] = 255
    for exact, inside in ((mask, (slice(10, 20), slice(30, 50))), ((16, 16, 48, 32), (slice(16, 32), slice(16, 48)))):
        again = np.asarray(pillow_lic.open(pillow_lic.encode(photo, quality=1, exact=exact)))
        assert (again[inside] == a[inside]).all()
        assert not (again == a).all()
    photo.save(tmp_path / "a.png")
    for words, exact in ((["16,16,48,32"], (16, 16, 48, 32)), (["off"], False), (["auto"], "auto")):
        words = [word for box in words for word in ("--exact", box)]
        assert main(["encode", str(tmp_path / "a.png"), str(tmp_path / "a.lic"), "-f", "-q", "1", *words]) == 0
        assert (tmp_path / "a.lic").read_bytes() == pillow_lic.encode(photo, quality=1, exact=exact)


def test_boxes_grow_to_whole_blocks_and_masks_do_not(photo: Image.Image) -> None:
    a, mask = np.asarray(photo), np.zeros((64, 96), np.uint8)
    mask[20:30, 40:50] = 255
    shares = []
    for exact in ((40, 20, 50, 30), mask):
        again = np.asarray(pillow_lic.open(pillow_lic.encode(photo, quality=1, exact=exact)))
        same = (again == a).all(2)
        assert same[20:30, 40:50].all()
        shares.append(same[16:32, 32:64].mean())
    assert shares[0] == 1 > shares[1]


def test_words_and_boxes_are_not_mixed_on_the_command_line(
    photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo.save(tmp_path / "a.png")
    words = ["encode", str(tmp_path / "a.png"), str(tmp_path / "a.lic"), "--exact", "auto", "--exact", "0,0,9,9"]
    assert main(words) != 0
    assert "exact must be" in (said := capsys.readouterr().err)
    assert "got 'auto' beside boxes" in said


@pytest.mark.parametrize(
    ("exact", "words"),
    [
        (True, "exact must be .*False"),
        ("all", "exact must be"),
        ((0, 0, 500, 10), "exact box must lie inside the picture of 96x64"),
        ((0, 0, 9, 9, 0.5), r"exact must be .*boxes \(left, upper, right, lower\), got \(0, 0, 9, 9, 0.5\)"),
        ([(0, 0, 9, 9), (0, 0, 9, 9, 1)], r"exact must be .*lower\), got \(0, 0, 9, 9, 1\)"),
        (np.array([(0, 0, 9, 9, 1)]), r"exact must be .*lower\), got \[0, 0, 9, 9, 1\]"),
        (["auto", (0, 0, 9, 9)], "exact must be .*one of these alone, got 'auto' beside boxes"),
        (np.zeros((3, 3)), r"exact mask must have the shape of the picture, \(64, 96\)"),
    ],
)
def test_other_places_are_refused(exact: object, words: str, photo: Image.Image) -> None:
    with pytest.raises(ValueError, match=words):
        pillow_lic.encode(photo, exact=exact)


def test_without_webp_there_is_a_sentence(mixed: bytes) -> None:
    with mock.patch.object(features, "check", return_value=False):
        with pytest.raises(LicRuntimeError, match="writing exact pixels needs WebP"):
            pillow_lic.encode(page())
        with pytest.raises(LicRuntimeError, match="reading exact pixels needs WebP"):
            pillow_lic.open(mixed).load()


def test_grey_is_grey(photo: Image.Image) -> None:
    grey = photo.convert("L").convert("RGB")
    again = np.asarray(pillow_lic.open(pillow_lic.encode(grey, quality=3)))
    assert (again == again[:, :, :1]).all()
    assert len(pillow_lic.encode(grey, quality=3)) == len(pillow_lic.encode(photo.convert("L"), quality=3))


def test_hidden_colours_cost_nothing(photo: Image.Image) -> None:
    a = np.array(photo.convert("RGBA"))
    a[:, 40:, 3] = 0
    clean, noisy = a.copy(), a.copy()
    clean[:, 40:, :3] = 0
    noisy[:, 40:, :3] = np.random.default_rng(0).integers(0, 256, (64, 56, 3), np.uint8)
    files = [pillow_lic.encode(Image.fromarray(x), quality=6) for x in (clean, noisy)]
    assert files[0] == files[1]
    shown = np.asarray(pillow_lic.open(files[0]))
    assert (shown[:, :, 3] == a[:, :, 3]).all()
    assert np.abs(shown[:, 36:40, :3].astype(int) - a[:, 36:40, :3]).mean() < 8


def test_no_warning_and_no_new_option_is_unknown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page(64, 64).save(io.BytesIO(), "LIC", exact="auto", lossless=False)
    assert EncodeOptions().exact == "auto"
