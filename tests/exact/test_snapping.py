"""Pages that JPEG has damaged: seen as such, and kept in few colours near their own."""

import io
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from made.drawn_pages import WORDS, page, slide, soft_lines
from made.jpegs import jpeg_of, opened
from made.pictures import SAMPLE, photo_like
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import pillow_lic
from pillow_lic import _native
from pillow_lic.engine import models
from pillow_lic.exact import aims, damage, snapping, square
from pillow_lic.fileformat import vp8l
from pillow_lic.fileformat.levels import quality_to_level

Pixels = npt.NDArray[np.uint8]

STEP = -16
"""That of slope 1/16."""


def clean(*, with_photo: bool = False) -> Pixels:
    return np.asarray(page(384, 256, with_photo=with_photo))


def worn(quality: int = 85) -> Pixels:
    return opened(jpeg_of(clean(), quality=quality))


@pytest.mark.parametrize("quality", [60, 75, 85, 92, 95])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_damage_is_seen(quality: int, subsampling: int) -> None:
    assert damage.found(opened(jpeg_of(clean(), quality=quality, subsampling=subsampling)), is_drawn=False) is not None


@pytest.mark.parametrize(
    "pixels", [clean(), clean(with_photo=True), np.asarray(slide()), soft_lines(), photo_like(256, 192)]
)
def test_what_is_clean_is_not_damaged(pixels: Pixels) -> None:
    assert damage.found(pixels, is_drawn=True) is None


@pytest.mark.parametrize("channels", [1, 3])
def test_bits_and_error_fall(channels: int) -> None:
    pixels = worn()[:, :, :channels]
    shown, bits, _ = snapping.snapped(pixels, np.ones(pixels.shape[:2], np.bool_), STEP)
    wrong = np.square(shown.astype(np.float32) - pixels).mean(2).sum()
    assert vp8l.bits(shown) + wrong / 16 < 0.5 * vp8l.bits(pixels)
    assert bits.shape == (16, 24)
    written = 8 * sum(map(len, vp8l.write(shown, vp8l.Search.PART)))
    assert 0.8 < bits.sum() / written < 1.2


def test_letters_are_nearer_to_what_they_were() -> None:
    shown = snapping.snapped(worn(), np.ones((256, 384), np.bool_), STEP)[0]
    before, after = (np.square(pixels.astype(np.float32) - clean()).mean() for pixels in (worn(), shown))
    assert after < before


def test_holes_stay_as_they_are_and_change_no_more_than_what_is_copied() -> None:
    pixels, exact = worn(), np.ones((256, 384), np.bool_)
    exact[64:128, 100:201] = False
    shown, bits, _ = snapping.snapped(pixels, exact, STEP)
    assert (shown[~exact] == pixels[~exact]).all()
    assert (shown[exact] != pixels[exact]).any()
    assert not snapping.snapped(pixels, np.zeros_like(exact), STEP)[1].any()
    assert (snapping.snapped(pixels, np.zeros_like(exact), STEP)[0] == pixels).all()
    assert (bits >= 0).all()


def test_finer_slopes_leave_less_error() -> None:
    every = np.ones((256, 384), np.bool_)
    errors = [
        np.square(snapping.snapped(worn(), every, step)[0].astype(np.float32) - worn()).mean()
        for step in (-24, -12, -4)
    ]
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (3, 5), (16, 17)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size(shape: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (*shape, channels), np.uint8)
    shown, bits, _ = snapping.snapped(pixels, np.ones(shape, np.bool_), 20)
    assert shown.shape == pixels.shape
    assert (np.abs(shown.astype(int) - pixels) <= 8).all()
    assert bits.sum() > 0


def test_a_flat_tile_stays_flat() -> None:
    pixels = np.full((40, 40, 3), (10, 200, 30), np.uint8)
    shown, bits, _ = snapping.snapped(pixels, np.ones((40, 40), np.bool_), STEP)
    assert (shown == pixels).all()
    assert bits.sum() < 100


def test_grounds_stay_apart() -> None:
    """A bar that is as dark as the ground beside it is no part of it."""
    pixels = worn().copy()
    pixels[100:130, 60:320] = pixels[250, 380] - np.uint8(14)
    shown = snapping.snapped(pixels, np.ones(pixels.shape[:2], np.bool_), -26)[0]
    assert (np.abs(shown[110:120, 100:300].astype(int) - pixels[110:120, 100:300]) <= 2).all()


@pytest.mark.parametrize("passes", [snapping.LOOK, snapping.BEST])
def test_a_ground_below_pixels_of_nearly_its_colour_keeps_it(passes: int) -> None:
    """Its colour is written once, so that it is dearer than every frequent one for a single pixel."""
    near = np.array([(209, 228 + 12 * (place // 3), 228 + 12 * (place % 3)) for place in range(8)], np.uint8)
    pixels = np.full((192, 256, 3), (229, 254, 236), np.uint8)
    pixels[:96] = near[np.random.default_rng(1).integers(0, 8, (96, 256))]
    pixels[128:] = 221, 244, 255
    shown = snapping.snapped(pixels, np.ones((192, 256), np.bool_), STEP, passes)[0]
    assert np.abs(shown[128:].astype(int) - pixels[128:]).max() <= 2


def test_more_colours_than_a_palette_has() -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (64, 64, 3), np.uint8)
    shown = snapping.snapped(pixels, np.ones((64, 64), np.bool_), -3)[0]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) <= 255


@pytest.mark.parametrize(
    ("colors", "exact"), [((4, 4, 3), (4, 5)), ((4, 4, 4), (4, 4)), ((4, 4, 0), (4, 4)), ((5, 4, 3), (4, 4))]
)
def test_shapes_that_do_not_belong_together(colors: tuple[int, int, int], exact: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        _native.snap(np.zeros(colors, np.uint8), np.ones(exact, np.bool_), 1, 1)


def test_levels_of_one_step_have_the_same_colours() -> None:
    assert snapping.step(aims.Aim(0.05, is_exact=True)) == snapping.step(aims.Aim(0.052, is_exact=False))
    assert snapping.step(aims.Aim(0.001, is_exact=False)) == snapping.step(aims.Aim(0.005, is_exact=False))
    assert snapping.step(aims.Aim(1.7, is_exact=True)) is None


@pytest.mark.parametrize("quality", [3.5, 5, 7])
def test_a_damaged_page_takes_a_fraction_of_its_bytes(quality: float) -> None:
    im = Image.fromarray(worn())
    data, without = (pillow_lic.encode(im, quality=quality, exact=exact) for exact in ("auto", False))
    shown = [np.asarray(pillow_lic.open(one)).astype(np.float32) for one in (data, without)]
    wrong = [np.square(one - worn()).mean() for one in shown]
    assert len(data) < 0.7 * len(without)
    assert wrong[0] < 1.5 * wrong[1]
    assert np.square(shown[0] - clean()).mean() < np.square(shown[1] - clean()).mean()
    assert data == pillow_lic.encode(im, quality=quality)


def test_a_damaged_page_beside_a_photograph() -> None:
    pixels = opened(jpeg_of(clean(with_photo=True), quality=90))
    data = pillow_lic.encode(Image.fromarray(pixels), quality=5)
    assert len(data) < 0.5 * len(pillow_lic.encode(Image.fromarray(pixels), quality=5, exact=False))


def test_high_qualities_are_not_held_back() -> None:
    im = Image.fromarray(worn())
    data = pillow_lic.encode(im, target_psnr=60)
    error = np.square(np.asarray(pillow_lic.open(data)).astype(np.float32) - worn()).mean()
    assert error == 0 or 10 * np.log10(255**2 / error) >= 60


def test_a_clean_page_has_every_letter() -> None:
    shown = np.asarray(pillow_lic.open(pillow_lic.encode(Image.fromarray(clean()), quality=5)))
    assert (shown == clean()).all()
    file = io.BytesIO()
    Image.fromarray(clean()).save(file, "LIC", quality=5)
    assert (np.asarray(Image.open(io.BytesIO(file.getvalue()))) == clean()).all()


def test_passes_go_on_where_others_ended() -> None:
    pixels, exact = worn(), np.ones((256, 384), np.bool_)
    look, _, course = snapping.snapped(pixels, exact, STEP, 2)
    assert (course.over(pixels, exact) == look).all()
    at_once, bits, _ = snapping.snapped(pixels, exact, STEP, 4)
    shown, others, _ = snapping.snapped(pixels, exact, STEP, 2, course)
    assert (shown == at_once).all()
    assert (others == bits).all()
    exact[64:128, 100:201] = False
    fewer = snapping.snapped(pixels, exact, STEP, 2, course)[0]
    assert (fewer[~exact] == pixels[~exact]).all()
    assert (fewer[exact] != pixels[exact]).any()


def test_what_passes_go_on_from_may_know_none_of_the_pixels() -> None:
    pixels, exact = worn(), np.zeros((256, 384), np.bool_)
    exact[:128] = True
    course = snapping.snapped(pixels, exact, STEP, 2)[2]
    assert not course.covers(~exact)
    assert (snapping.snapped(pixels, ~exact, STEP, 2, course)[0][exact] == pixels[exact]).all()
    empty = snapping.snapped(pixels, np.zeros_like(exact), STEP, 2)[2]
    assert (snapping.snapped(pixels, exact, STEP, 2, empty)[0] == snapping.snapped(pixels, exact, STEP, 2)[0]).all()


@pytest.mark.parametrize(
    ("shown", "palette", "counts"),
    [((4, 5), (2, 3), 259), ((4, 4), (2, 1), 259), ((4, 4), (0, 3), 259), ((4, 4), (2, 3), 3), ((4, 4), (1, 3), 259)],
)
def test_what_passes_go_on_from_belongs_to_the_pixels(
    shown: tuple[int, int], palette: tuple[int, int], counts: int
) -> None:
    before = np.ones(shown, np.uint8), np.zeros(palette, np.uint8), np.zeros(counts, np.uint32)
    with pytest.raises(ValueError, match="must"):
        _native.snap(np.zeros((4, 4, 3), np.uint8), np.ones((4, 4), np.bool_), 1, 1, before)


def asked_of(pixels: Pixels) -> list[tuple[int, bool]]:
    """The passes that a save asks for, and whether they go on from others."""
    with mock.patch.object(snapping, "snap", wraps=snapping.snap) as asked:
        pillow_lic.encode(Image.fromarray(pixels), quality=5)
    return [(call.args[3], call.args[4] is not None) for call in asked.call_args_list]


@pytest.mark.parametrize("pixels", ["worn", "scanned", "scaled"])
def test_a_square_is_snapped_once_from_the_choice_to_the_file(pixels: str) -> None:
    asked = asked_of({"worn": worn, "scanned": scanned, "scaled": scaled}[pixels]())
    assert [goes_on for _, goes_on in asked] == [False, *[True] * (len(asked) - 1)]
    assert sum(passes for passes, _ in asked) == snapping.BEST


def test_snapped_colours_that_lose_by_a_first_pass_end_there() -> None:
    with mock.patch.object(square, "_FIRST_PASS", 0.1):
        assert asked_of(scaled()) == [(1, False)]


def scanned(noise: float = 1.0) -> Pixels:
    """A page of text as a scanner sees it: slightly soft, grey ink, a little noise."""
    soft = page(384, 256, with_photo=False).filter(ImageFilter.GaussianBlur(0.6))
    return np.clip(
        40 + 0.78 * np.asarray(soft) + np.random.default_rng(5).normal(0, noise, (256, 384, 3)), 0, 255
    ).astype(np.uint8)


def scaled() -> Pixels:
    """A page with words of three more colours, enlarged by 1.25."""
    im = page(307, 204, with_photo=False)
    draw = ImageDraw.Draw(im)
    for row, color in enumerate(("#c02020", "#2040c0", "#108040") * 2):
        draw.text((6, 2 + 36 * row), WORDS, color, ImageFont.load_default(13))
    return np.asarray(im.resize((384, 256), Image.Resampling.LANCZOS))


def test_scans_are_seen_and_photographs_are_none() -> None:
    assert damage.is_scanned(scanned())
    assert damage.is_scanned(scanned()[:, :, :1])
    assert not damage.is_scanned(255 - scanned())
    assert not damage.is_scanned(scanned(6))
    with Image.open(SAMPLE) as photo:
        assert not damage.is_scanned(np.asarray(photo.convert("RGB")))
    for shape in ((1, 1), (1, 7), (15, 40), (4, 300)):
        assert not damage.is_scanned(np.full((*shape, 3), 240, np.uint8))
        assert isinstance(damage.may_be_scaled(np.full((*shape, 3), 240, np.uint8)), bool)


def test_smooth_grounds_are_not_scaled_pages() -> None:
    assert damage.may_be_scaled(scaled())
    assert not damage.may_be_scaled(np.asarray(slide()))
    assert not damage.may_be_scaled(clean(with_photo=True))


@pytest.mark.parametrize("pixels", [scanned(), scaled()])
def test_scans_and_scaled_pages_cost_less_with_snapped_colours(pixels: Pixels) -> None:
    im = Image.fromarray(pixels)
    with mock.patch.object(square.Square, "or_snapped", lambda _, part, *rest, **words: part):
        before = pillow_lic.encode(im, quality=5)
    data = pillow_lic.encode(im, quality=5)
    shown = np.asarray(pillow_lic.open(data)).astype(np.float32)
    slope = models.choose(None).slope(quality_to_level(5))
    costs = [
        8 * len(one) + slope * np.square(np.asarray(pillow_lic.open(one)).astype(np.float32) - pixels).mean(2).sum()
        for one in (data, before)
    ]
    assert costs[0] < 0.9 * costs[1]
    assert np.square(shown - pixels).mean() < 20


@pytest.mark.parametrize("qualities", [(3, 4, 4.5, 5.5), (5.5, 6.5, 7.5, 8.5)])
def test_a_scaled_page_grows_in_steps(qualities: tuple[float, ...]) -> None:
    """From merged colours to snapped ones and back, or to exact ones, it had 1.6 to 3 times the bytes, or fewer."""
    im = Image.fromarray(scaled())
    files = [pillow_lic.encode(im, quality=quality, effort=0) for quality in qualities]
    wrong = [np.square(np.asarray(pillow_lic.open(data)).astype(np.float32) - scaled()).mean() for data in files]
    assert wrong == sorted(wrong, reverse=True)
    sizes = [len(data) for data in files]
    assert all(before <= after <= 1.4 * before for before, after in zip(sizes, sizes[1:], strict=False))
