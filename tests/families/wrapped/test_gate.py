"""The gate of restored pictures: what of the changes is shown as the format says, and what would lose does hardly."""

from dataclasses import replace

import numpy as np
import pytest
from engine.released import models_of
from hypothesis import given
from hypothesis import strategies as st
from made.jpegs import jpeg_of, opened
from PIL import Image, ImageDraw
from reference import blocks_reference

import pillow_lic
from pillow_lic import metrics
from pillow_lic.engine.models import Model
from pillow_lic.families.wrapped.gate import gated, shares
from pillow_lic.families.wrapped.restoration import told
from pillow_lic.fileformat import jpeg
from pillow_lic.fileformat.areas import Area

MODEL = next(model for model in models_of("restored") if "gate" in model.files)


class Fixed(Model):
    """A model whose gate is open as a test says, in blocks of the whole picture that is seen."""

    def run(self, role: str, **feeds: np.ndarray) -> list[np.ndarray]:
        assert role == "gate"
        return [self.constants["open"][None]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 70))
def test_changes_are_shown_as_the_format_says(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    decoded = rng.integers(0, 256, (height, width, 3), np.uint8)
    shown = (decoded + rng.normal(0, rng.choice([0.5, 3, 30]), decoded.shape)).clip(0, 255).astype(np.uint8)
    opened = rng.choice([0, 0.25, 1, 1], (2, -(-height // 8), -(-width // 8))).astype(np.float32)
    words = {
        name: getattr(MODEL, name) for name in ("number", "files", "name", "procedure", "digest", "levels", "extras")
    }
    model = Fixed(**words, constants=dict(MODEL.constants) | {"open": opened})
    made = gated(model, shown, decoded, {}, Area(0, 0, width, height))
    expected = blocks_reference.gated(shown, decoded, opened)
    assert (np.abs(made.astype(int) - expected) <= 1).all()
    assert (made != expected).sum() < 6 + 0.02 * made.size  # of one pixel with a tie all samples may round otherwise


def test_a_part_of_a_picture_is_gated_as_all_of_it(cat: np.ndarray) -> None:
    data = jpeg_of(cat, quality=30)
    facts, decoded = jpeg.facts_of(data), opened(data)
    shown = np.asarray(pillow_lic.restore(data))
    height, width = decoded.shape[:2]
    whole = shares(MODEL, shown, decoded, told(facts), Area(0, 0, width, height))
    area = Area(64, 40, 64 + 80, height - 56)
    part = shares(MODEL, shown[area.slices], decoded, told(facts), area)
    rows = -(-area.height // 8)
    np.testing.assert_allclose(part, whole[:, 5 : 5 + rows, 8:18], atol=1e-4)
    made = gated(MODEL, shown[area.slices], decoded, told(facts), area)
    np.testing.assert_array_equal(
        made, gated(MODEL, shown, decoded, told(facts), Area(0, 0, width, height))[area.slices]
    )


def test_models_without_a_gate_show_all(cat: np.ndarray) -> None:
    files = {role: file for role, file in MODEL.files.items() if role != "gate"}
    assert gated(replace(MODEL, files=files), cat, cat, {}, Area(0, 0, 8, 8)) is cat


def boxes(number: int) -> np.ndarray:
    """One or two boxes on a flat ground, in strong colours or near ones."""
    rng = np.random.default_rng(number)
    ground = rng.integers(0, 256, 3)
    im = Image.new("RGB", (160, 160), tuple(int(v) for v in ground))
    for _ in range(1 + number % 2):
        x, y, w, h = (int(v) for v in rng.integers(16, 80, 4))
        color = rng.integers(0, 256, 3) if number % 3 else np.clip(ground + rng.integers(-20, 21, 3), 0, 255)
        ImageDraw.Draw(im).rectangle((x, y, x + w, y + h), fill=tuple(int(v) for v in color))
    return np.asarray(im)


def cloth(number: int) -> np.ndarray:
    """Weave of red or blue, whose fine colours JPEG loses."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:160, :160]
    weave = 0.5 + 0.2 * np.sin(x * 1.9 + y * 0.3) * np.sin(y * 2.1) + rng.normal(0, 0.06, (160, 160))
    color = np.array([[200, 12, 30], [20, 24, 190], [230, 60, 4]][number % 3])
    return np.rint(color * 1.6 * weave[..., None] * rng.normal(1, 0.06, (160, 160, 3))).clip(0, 255).astype(np.uint8)


def codes(number: int) -> np.ndarray:
    """Bars or squares of 4 or 8 pixels, black on white or of four colours: JPEG has many of them exactly."""
    rng = np.random.default_rng(number)
    edge = (4, 8)[number % 2]
    colors = np.array([(0, 0, 0), (255, 255, 255)]) if number % 3 else rng.integers(0, 256, (4, 3))
    picked = rng.integers(0, len(colors), (1 if number % 4 < 2 else 160 // edge, 160 // edge))
    return (
        np.broadcast_to(colors[picked], (160 // edge, 160 // edge, 3)).repeat(edge, 0).repeat(edge, 1).astype(np.uint8)
    )


@pytest.mark.parametrize("quality", [10, 20, 40, 75])
def test_no_code_loses_much(quality: int) -> None:
    """With the gate of number 33 up to 9.6 dB, with that of 34 up to 0.2."""
    for picture in map(codes, range(8)):
        data = jpeg_of(picture, quality=quality, subsampling=0)
        was, now = (
            min(metrics.psnr(picture, shown), 65) for shown in (opened(data), np.asarray(pillow_lic.restore(data)))
        )
        assert now > was - 0.1


@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [20, 65, 75, 85, 93])
def test_no_box_and_no_cloth_loses_much(quality: int, subsampling: int) -> None:
    """Without the gate up to 2 dB, with that of number 34 up to 0.23."""
    for picture in (*map(boxes, range(9)), *map(cloth, range(3))):
        data = jpeg_of(picture, quality=quality, subsampling=subsampling)
        before, after = opened(data), np.asarray(pillow_lic.restore(data))
        for of in (lambda p: np.asarray(Image.fromarray(p).convert("L")), lambda p: p):
            true, was, now = of(picture), of(before), of(after)
            assert metrics.psnr(true, now) > min(metrics.psnr(true, was), 65) - 0.2
