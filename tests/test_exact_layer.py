"""The exact layer: what is drawn is found and comes back pixel for pixel, photographs are left alone, nothing else breaks."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from pictures import SAMPLE, photo_like
from PIL import Image, ImageDraw, ImageFile, ImageFont, features

import pillow_lic
from pillow_lic import codec, families, inspection, metrics
from pillow_lic.__main__ import main
from pillow_lic.describe import describe
from pillow_lic.engine import models
from pillow_lic.errors import LicDamagedError, LicRuntimeError
from pillow_lic.exact import aims, choice, drawn, glyphs, ground, layer, merging, whole
from pillow_lic.families import Request
from pillow_lic.fileformat import container, exact_layer, vp8l
from pillow_lic.fileformat.areas import Area, onto
from pillow_lic.fileformat.exact_layer import ExactLayer
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.fileformat.levels import quality_to_level
from pillow_lic.fileformat.sections import EXACT
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.options import EncodeOptions

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

LEVEL = quality_to_level(5)


def aim(level: int) -> aims.Aim:
    """What files of lic1 aim at."""
    return aims.aim(models.choose("lic1").slope(level), level)


AIM = aim(LEVEL)
WORDS = "Letters stay letters, and lines stay lines."


def nothing() -> Pixels:
    """Stands for what the codec would lose, where nobody may ask for it."""
    raise AssertionError


def glyphs_of(pixels: Pixels, taken: Mask | None) -> glyphs.Glyphs | None:
    """The glyphs of a tile in files of AIM."""
    return glyphs.paying(glyphs.searched(pixels, taken), pixels, taken, AIM, nothing)


def page(width: int = 320, height: int = 256, *, with_photo: bool = True) -> Image.Image:
    """A page of text; its right half is a photograph if asked for."""
    im = Image.new("RGB", (width, height), "#fdfdf8")
    draw = ImageDraw.Draw(im)
    for row in range(height // 18):
        draw.text((6, 2 + 18 * row), WORDS, "#203040", ImageFont.load_default(13))
    if with_photo:
        with Image.open(SAMPLE) as photo:
            im.paste(photo.convert("RGB").resize((width // 2, height)), (width // 2, 0))
    return im


def text_of(im: Image.Image) -> Pixels:
    """The left half of a page, up to the block that the photograph begins in."""
    return np.asarray(im)[:, : im.width // 2 - 16]


@pytest.fixture(scope="module")
def mixed() -> bytes:
    return pillow_lic.encode(page(), quality=5)


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
        assert layer.found(pixels, LEVEL, aim, nothing) is None


def test_a_blown_out_sky_behind_branches_is_a_photograph() -> None:
    pixels = np.random.default_rng(1).integers(0, 90, (128, 128, 3), np.uint8)
    pixels[:, np.arange(128) % 16 > 5] = 255
    assert layer.found(pixels, LEVEL, aim, nothing) is None


def slide(width: int = 320, height: int = 256) -> Image.Image:
    """White and yellow letters on a gradient."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    im = Image.fromarray(np.rint(np.stack([30 + 90 * across, 60 + 70 * down, 170 - 50 * across], 2)).astype(np.uint8))
    draw = ImageDraw.Draw(im)
    for row in range(height // 24):
        draw.text((6, 2 + 24 * row), WORDS, ("#ffffff", "#ffe060")[row % 2], ImageFont.load_default(15))
    return im


@pytest.mark.parametrize(("model", "gain"), [("lic1", 6), ("lic2", 2)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_letters_on_a_gradient_blend_with_it(mode: str, model: str, gain: float) -> None:
    """gain: dB over the file without the layer, which has 4 dB more at this quality by lic2."""
    im = slide().convert(mode)
    with_layer, without = (pillow_lic.encode(im, quality=6, model=model, exact=exact) for exact in ("auto", False))
    assert len(with_layer) < 0.5 * len(without)
    whole, other = (np.asarray(pillow_lic.open(data)) for data in (with_layer, without))
    assert metrics.psnr(np.asarray(im), whole) > max(37, metrics.psnr(np.asarray(im), other) + gain)
    part = np.asarray(pillow_lic.open(with_layer).region((9, 7, 200, 90))).astype(int)
    assert np.abs(part - whole[7:90, 9:200]).max() <= 1


def test_glyphs_are_weighed_on_the_ground_beside_them() -> None:
    pixels = np.full((48, 48, 3), 100, np.uint8)
    cover = np.zeros((48, 48), np.uint8)
    cover[16:32, 16:32] = 64
    blocks = np.zeros((3, 3), np.bool_)
    blocks[1, 1] = True
    pixels[cover > 0] = 75  # a quarter black over 100
    black = glyphs.Glyphs(np.zeros_like(pixels), cover, blocks, 0.0)
    assert glyphs._errors(black, pixels, AIM).max() <= 256
    pixels[cover > 0] = 112  # a quarter black over 150, which lies nowhere beside it
    errors = glyphs._errors(black, pixels, AIM)
    assert errors[1, 1] > 256 * 35**2
    assert errors.sum() == errors[1, 1]


def test_a_psnr_is_reached_with_glyphs() -> None:
    im = slide(128, 96)
    data = pillow_lic.encode(im, target_psnr=35)
    assert 34.9 < metrics.psnr(np.asarray(im), np.asarray(pillow_lic.open(data))) < 40


def test_glyphs_lie_beside_exact_pixels() -> None:
    im = slide(640, 256)
    im.paste(page(with_photo=False), (320, 0))
    again = np.asarray(pillow_lic.open(pillow_lic.encode(im, quality=5)))
    assert (again[:, 336:] == np.asarray(im)[:, 336:]).all()
    assert metrics.psnr(again[:, :304], np.asarray(im)[:, :304]) > 35


def test_a_silhouette_with_noise_behind_it_has_no_glyphs() -> None:
    pixels = np.asarray(slide()).astype(int)
    noisy = pixels + np.rint(np.random.default_rng(3).normal(0, 2, pixels.shape)).astype(int)
    assert glyphs_of(noisy.clip(0, 255).astype(np.uint8), None) is None
    assert glyphs_of(np.asarray(slide()), None) is not None
    everything = np.ones((16, 20), np.bool_)
    assert glyphs_of(np.asarray(slide()), everything) is not None
    assert glyphs_of(np.asarray(page(with_photo=False)), everything) is None
    assert [glyphs.degrees(aim(quality_to_level(quality))) for quality in (1, 3, 5, 7, 10)] == [3, 5, 8, 12, 24]


def soft_lines(width: int = 256, height: int = 192) -> Pixels:
    """Lines of three colours at every angle, drawn large and made small, as on a map."""
    im = Image.new("RGB", (2 * width, 2 * height), "#f2efe9")
    draw, rng = ImageDraw.Draw(im), np.random.default_rng(5)
    for number in range(30):
        ends = [tuple(point) for point in rng.uniform(0, 2 * width, (2, 2)).tolist()]
        draw.line(ends, ("#ffffff", "#e892a2", "#444444")[number % 3], 9)
    return np.asarray(im.resize((width, height), Image.Resampling.BOX))


def test_where_bits_leave_doubt_the_error_of_the_codec_decides() -> None:
    pixels = soft_lines()
    blocks = drawn.found(pixels)
    assert blocks is not None
    hard, easy = (np.full(blocks.cost.shape, bits, np.float32) for bits in (1e5, 0.0))
    assert choice.kept(pixels, blocks, AIM, lambda: easy) is None
    every = choice.kept(pixels, blocks, AIM, lambda: hard)
    assert every is not None
    assert every.blocks[blocks.within(choice.LIKELY)].all()
    assert not every.is_sure
    mixed_cost = hard.copy()
    mixed_cost[:, 3:] = 0
    some = choice.kept(pixels, blocks, aim(quality_to_level(4.9)), lambda: mixed_cost)
    assert some is not None
    assert some.blocks[:, :3].any()
    assert not some.blocks[blocks.cost > 0][mixed_cost[blocks.cost > 0] == 0].any()


def cost(im: Image.Image, quality: float, **words: object) -> float:
    """The bits of a file of the default model, with its error at the slope of the level."""
    data = pillow_lic.encode(im, quality=quality, **words)
    error = np.square(np.asarray(im, np.float32) - np.asarray(pillow_lic.open(data))).mean(2).sum()
    return 8 * len(data) + models.choose(None).slope(quality_to_level(quality)) * float(error)


def sign_on_a_photo() -> Image.Image:
    """Letters with soft edges on a photograph, as on a banner."""
    with Image.open(SAMPLE) as photo:
        im = photo.convert("RGB").resize((320, 256))
    ImageDraw.Draw(im).text(
        (10, 90), "SALE 50 %\nonly today", "white", ImageFont.load_default(48), stroke_width=2, stroke_fill="#333333"
    )
    return im


@pytest.mark.parametrize("quality", [2, 4, 5.5, 8])
@pytest.mark.parametrize("picture", [page, slide, sign_on_a_photo, lambda: Image.fromarray(soft_lines())])
def test_a_layer_never_costs_more_than_it_saves(picture: Callable[[], Image.Image], quality: float) -> None:
    assert cost(picture(), quality) <= 1.0001 * cost(picture(), quality, exact=False)


def test_error_is_weighed_by_the_slope_of_the_model() -> None:
    lic1, lic2 = (models.choose(name) for name in ("lic1", "lic2"))
    assert [lic1.slope(0), lic2.slope(0)] == [0.0016, 0.0016]
    assert [lic1.slope(1024), lic2.slope(1024)] == [pytest.approx(0.25), pytest.approx(2)]
    asked = list[tuple[float, bool]]()
    found = layer.found

    def spy(colors: Pixels, level: int, aim: Callable[[int], aims.Aim], spent: choice.Spent) -> layer.Layer | None:
        asked.append(aim(level))
        return found(colors, level, aim, spent)

    with mock.patch.object(layer, "found", spy):
        for model in (lic1, lic2):
            pillow_lic.encode(page(64, 64), quality=4, model=model.number)
            assert asked.pop() == (model.slope(quality_to_level(4)), False)


@pytest.mark.parametrize(("bits_of_fewer", "are_soft"), [(10, True), (100, False)])
def test_fewer_colours_are_kept_where_they_save_more(bits_of_fewer: float, are_soft: bool) -> None:
    shape = (12, 16)
    sure = np.zeros(shape, np.bool_)
    sure[:, :5] = True

    def kept(colors: Pixels, blocks: drawn.Blocks, aim: aims.Aim, spent: choice.Spent) -> choice.Kept:
        bits = np.full(shape, 100 if aim.is_exact else bits_of_fewer, np.float32)
        return choice.Kept(np.ones(shape, np.bool_), bits, sure, is_sure=False)

    with mock.patch.object(choice, "kept", kept), mock.patch.object(glyphs, "searched", return_value=None):
        part = layer._chosen(soft_lines(), AIM, lambda: np.full(shape, 200, np.float32))
        assert part.kept.all()
        assert (part.soft == (~sure & are_soft)).all()
        found = layer.found(soft_lines(), LEVEL, aim, lambda: np.full(shape, 200, np.float32))
    assert found is not None
    assert bool(found.reach(LEVEL)) == are_soft
    assert found.kind(LEVEL) != found.kind(LEVEL - 1)
    shown = found.whole(LEVEL)
    assert (shown[:, :80] == soft_lines()[:, :80]).all()
    assert (shown == soft_lines()).all() == (not are_soft)
    assert not (found.whole(LEVEL - 1)[:, :80] == soft_lines()[:, :80]).all()


def test_what_an_area_saves_counts_exact_blocks_and_glyphs() -> None:
    glyph_blocks = np.array([[True, False, False]])
    part = layer._Part(
        np.array([[False, True, False]]),
        np.zeros((1, 3), np.bool_),
        glyphs.Glyphs(np.zeros((16, 48, 3), np.uint8), np.zeros((16, 48), np.uint8), glyph_blocks, 30.0),
    )
    by_block, spent = np.float32([[1, 20, 300]]), np.float32([[100, 200, 300]])
    assert layer._saved(part, by_block, spent) == 20 + 100 - 30
    assert layer._saved(layer._Part(part.kept, part.soft, None), by_block, spent) == 20


def test_letters_beyond_doubt_stay_exact_beside_doubtful_ones() -> None:
    """Of a slide and a page side by side the page's letters are no glyphs, whatever the slide's cost."""
    im = slide(640, 256)
    im.paste(page(with_photo=False), (320, 0))
    blocks = drawn.found(np.asarray(im))
    assert blocks is not None
    kept = choice.kept(np.asarray(im), blocks, AIM, lambda: np.full(blocks.cost.shape, 2e4, np.float32))
    assert kept is not None
    assert not kept.is_sure
    assert kept.sure[:, 21:][blocks.contrast[:, 21:] > 0].all()
    assert not (kept.sure & ~kept.blocks).any()


@pytest.mark.parametrize("quality", [2, 6, 10])
def test_no_file_is_larger_than_the_lossless_one(quality: float) -> None:
    across, down = np.meshgrid(np.arange(96), np.arange(80))
    smooth = np.stack([across + down, 2 * across, 255 - across - down], 2).astype(np.uint8)
    icon = page(32, 32, with_photo=False)
    for im in (Image.fromarray(smooth), icon, Image.new("RGB", (200, 100), "#336699"), Image.fromarray(soft_lines())):
        assert len(pillow_lic.encode(im, quality=quality)) <= len(pillow_lic.encode(im, lossless=True))


def test_a_photograph_is_no_case_for_the_lossless_search() -> None:
    with Image.open(SAMPLE) as photo:
        pixels = np.asarray(photo.convert("RGB"))
    with mock.patch.object(whole.vp8l, "bits", side_effect=AssertionError("it was searched")):
        assert not whole.may_be_within(pixels, 3.0 * pixels.shape[0] * pixels.shape[1], is_drawn=False)


def test_what_a_block_costs_the_codec_grows_with_quality() -> None:
    one = np.ones((1, 1), np.float32)
    values = [float(choice.by_contrast(one, aim(quality_to_level(quality)))[0, 0]) for quality in (1, 3, 5, 7, 10)]
    assert values == sorted(values)


def test_regions_and_drafts_have_the_letters(mixed: bytes) -> None:
    whole = page()
    box = (3, 5, 99, 77)
    assert (np.asarray(pillow_lic.open(mixed).region(box)) == np.asarray(whole.crop(box))).all()
    draft = pillow_lic.open(mixed)
    draft.draft(None, (160, 128))
    assert draft.size == (160, 128)
    small = np.asarray(whole, np.float32).reshape(128, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(np.asarray(draft, np.float32) - small)[:, :72].max() <= 1


def test_every_tile_has_its_own() -> None:
    pixels = np.asarray(page())
    tiling, level, model = Tiling(320, 256, 128), quality_to_level(6), models.choose(None)
    found = layer.found(pixels, LEVEL, aim, nothing)
    assert found is not None
    writer = families.writer(model, pixels, Request())
    writer.tiling = tiling
    header = Header("RGB", 320, 256, 128, model.number, model.hash, level)
    data = container.pack(header, writer.payloads(level), exact=found.payload(level, tiling))
    whole = codec.decode(data)[1]
    assert (text_of(Image.fromarray(whole)) == text_of(page())).all()
    area = Area(100, 20, 300, 140)
    region = codec.decode_region(io.BytesIO(data), area.corners)
    assert np.abs(region.astype(int) - whole[area.slices]).max() <= 1
    half = whole.reshape(128, 2, 160, 2, 3).mean((1, 3))
    assert np.abs(codec.decode(data, scale=2)[1] - half)[:, :72].max() <= 1


def test_a_cut_file_shows_its_letters(mixed: bytes) -> None:
    with pytest.raises(OSError, match="ends inside its tile"):
        pillow_lic.open(mixed[:-100]).load()
    with mock.patch.object(ImageFile, "LOAD_TRUNCATED_IMAGES", True):
        assert (text_of(pillow_lic.open(mixed[:-100])) == text_of(page())).all()


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


def with_exact(data: bytes, payload: bytes) -> bytes:
    parts = container.unpack(data)
    tiles = [bytes(tile) for tile in parts.tiles if tile is not None]
    return container.pack(parts.header, tiles, alpha=parts.alpha, exact=payload)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_exact_pixels_lie_over_lossless_tiles_too(mode: str) -> None:
    """No writer of ours makes such a file; FORMAT.md allows it."""
    tile = np.random.default_rng(1).integers(1, 256, (13, 20, CHANNELS[mode]), np.uint8)
    if mode.endswith("A"):
        tile[:, :, -1] = 90
    places = np.zeros((13, 20), np.bool_)
    places[2:9, 3:7] = True
    section = exact_layer.pack(
        [exact_layer.written(np.full((13, 20, 1), 7, np.uint8), np.uint8(255) * places)], Tiling(20, 13, 0)
    )
    data = with_exact(codec.encode(tile, mode, EncodeOptions(lossless=True)), section)
    inspection.verify(data)
    colors = tile[:, :, :-1] if mode.endswith("A") else tile
    colors[places] = 7
    assert (codec.decode(data)[1] == tile).all()


def test_a_whole_file_without_the_colours_under_alpha_0_is_not_called_lossless() -> None:
    for hidden in (False, True):
        im = page().convert("RGBA")
        if hidden:
            im.paste((255, 200, 10, 0), (0, 0, 320, 20))
        again = pillow_lic.open(pillow_lic.encode(im, quality=10, exact=(0, 0, *im.size)))
        assert again.info["lic_model"] == "lossless"
        assert again.info["lossless"] == (again.tobytes() == im.tobytes()) == (not hidden)


def test_bad_sections_are_refused_before_anything_is_decoded(mixed: bytes) -> None:
    with io.BytesIO(mixed) as fp:
        payload = container.read_section(fp, container.read_front(fp), EXACT)
    assert payload is not None
    streams = exact_layer.ExactLayer(payload, Tiling(320, 256, 0))
    streams.check()
    small = exact_layer.written(np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 255, np.uint8))
    bad = {
        b"": "ends inside its 1 lengths",
        payload + b"x": "by its lengths",
        payload[:-1]: "by its lengths",
        exact_layer.pack([small], Tiling(320, 256, 0)): "must be 320x256, their bitstream says 9x9",
        b"\x05\x2f\xff\xff\xff\x0f": "bitstream says 16384x16384",
    }
    for section, words in bad.items():
        data = with_exact(mixed, section)
        for act in (inspection.verify, codec.decode):
            with (
                mock.patch.object(Image, "open", side_effect=AssertionError("it was opened")),
                pytest.raises(LicDamagedError, match=words),
            ):
                act(data)


def test_alpha_between_blends(mixed: bytes) -> None:
    over = np.random.default_rng(2).integers(0, 256, (256, 320, 4), np.uint8)
    section = exact_layer.pack([exact_layer.vp8l.write(over)], Tiling(320, 256, 0))
    beneath = codec.decode(with_exact(mixed, b"\0"))[1]
    shown = codec.decode(with_exact(mixed, section))[1]
    share = over[:, :, 3:] / 255
    assert np.abs(shown - (share * over[:, :, :3] + (1 - share) * beneath)).max() <= 0.5
    assert (exact_layer.blended(beneath, over[:, :, :3], np.full((256, 320), 255, np.uint8)) == over[:, :, :3]).all()
    assert (exact_layer.blended(beneath, over[:, :, :3], np.zeros((256, 320), np.uint8)) == beneath).all()


def test_merging_moves_no_colour_far_and_grounds_not_at_all() -> None:
    pixels = np.asarray(page(with_photo=False))
    every = np.ones(pixels.shape[:2], np.bool_)
    assert merging.reach(AIM) == 0 < merging.reach(aim(quality_to_level(4.9))) < merging.reach(aim(0)) == 48
    for within in (4, 20, 48):
        fewer = merging.merged(pixels, every, within)
        moved = np.square(fewer.astype(float) - pixels).mean(2)
        assert moved.max() <= within**2
        assert (fewer[0, 0] == pixels[0, 0]).all()
        assert len(np.unique(drawn.packed(fewer))) < len(np.unique(drawn.packed(pixels)))
    assert merging.merged(pixels, every, 0) is pixels


def test_the_ground_is_smooth_and_the_rest_stays() -> None:
    pixels = photo_like(200, 1100, 3)
    gone = np.zeros((200, 1100), np.bool_)
    gone[30:150, 900:1080] = True
    made = ground.continued(pixels, lambda area: gone[area.slices])
    assert (made[~gone] == pixels[~gone]).all()
    inside = made[30:150, 900:1080].astype(int)
    assert max(np.abs(np.diff(inside, axis=axis)).max() for axis in (0, 1)) <= 16
    nothing = ground.continued(pixels, lambda area: np.ones(area.shape, np.bool_))
    assert (nothing == 128).all()


def test_areas_of_a_layer_need_no_alignment() -> None:
    found = layer.found(np.asarray(page()), LEVEL, aim, nothing)
    assert found is not None
    whole = found.exact(Area(0, 0, 320, 256))
    assert whole[40, 40]
    assert (found.exact(Area(7, 9, 100, 90)) == whole[9:90, 7:100]).all()
    assert found.share == pytest.approx(whole.mean())


def test_no_warning_and_no_new_option_is_unknown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page(64, 64).save(io.BytesIO(), "LIC", exact="auto", lossless=False)
    assert EncodeOptions().exact == "auto"


@pytest.mark.parametrize("scale", [1, 2])
def test_a_part_of_a_tile_is_not_decoded_for_every_window(monkeypatch: pytest.MonkeyPatch, scale: int) -> None:
    """A picture of one large tile (model restored) is drawn window by window, by every thread."""
    monkeypatch.setattr(vp8l, "MAX_PART_SIDE", 128)
    tiling = Tiling(300, 200, 0)
    rng = np.random.default_rng(0)
    pixels, cover = (rng.integers(0, 256, (200, 300, channels), np.uint8) for channels in (3, 1))
    layer = ExactLayer(exact_layer.pack([vp8l.write(np.concatenate([pixels, cover], 2))], tiling), tiling)
    decoded: list[object] = []
    read = vp8l._read
    monkeypatch.setattr(vp8l, "_read", lambda stream: decoded.append(stream) or read(stream))
    draft = tiling.whole.over(scale)
    shown, whole = (np.zeros((*draft.shape, 3), np.uint8) for _ in range(2))
    for area in Tiling(draft.width, draft.height, 128).tiles():
        for half in (Area(area.x0, area.y0, area.x1, area.y0 + 9), Area(area.x0, area.y0 + 9, area.x1, area.y1)):
            layer.over(onto(shown), tiling.whole, scale)(half, np.full((*half.shape, 3), 7, np.uint8))
    assert len(decoded) == 6
    layer.over(onto(whole), tiling.whole, scale)(draft, np.full((*draft.shape, 3), 7, np.uint8))
    np.testing.assert_array_equal(shown, whole)
    if scale == 1:
        np.testing.assert_array_equal(whole, exact_layer.blended(np.full_like(pixels, 7), pixels, cover[:, :, 0]))
