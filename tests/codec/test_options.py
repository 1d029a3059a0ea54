"""The quality scale, and what is refused of the options of save before any work."""

import pydoc
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from pillow_lic.imageio_plugin.backend import LicPlugin

import pillow_lic
from pillow_lic import arguments, options, saving
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.fileformat import levels
from pillow_lic.fileformat.limits import MAX_LEVEL
from pillow_lic.options import OPTIONS, EncodeOptions


def test_the_scale_runs_from_end_to_end() -> None:
    assert levels.MAX_QUALITY == 10
    assert levels.quality_to_level(1) == 0
    assert levels.quality_to_level(10) == MAX_LEVEL
    found = [levels.quality_to_level(1 + n / 100) for n in range(901)]
    assert found == sorted(found)
    for level in range(MAX_LEVEL + 1):
        assert levels.quality_to_level(levels.level_to_quality(level)) == level


@pytest.mark.parametrize(("given", "meant"), [(100, 10), (85, 8.5), (11, 1.1), (10, 10), (1, 1), (6, 6)])
def test_percent(given: float, meant: float) -> None:
    assert options.normalise_quality(given) == pytest.approx(meant)


@pytest.mark.parametrize(
    "quality", [0, 0.99, -3, 10.5, 10.01, 10.99, 100.1, float("nan"), float("inf"), True, "6", b"6", [6]]
)
def test_wrong_quality_is_named(quality: object) -> None:
    with pytest.raises(ValueError, match=r"quality must be 1-10 \(or 11-100 as percent\), got "):
        EncodeOptions(quality=quality)


class Odd:
    """A number that cannot say which."""

    def __float__(self) -> float:
        return 1 / 0


@pytest.mark.parametrize(
    "value", [np.True_, np.array(True), np.timedelta64(5), bytearray(b"6"), memoryview(b"6"), Odd(), 10**400]
)
@pytest.mark.parametrize("name", ["quality", "target_size", "effort", "importance"])
def test_what_only_float_takes_for_a_number_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be "):
        EncodeOptions(**{name: value})


@pytest.mark.parametrize("value", [np.array([]), np.array([True, False]), "yes"])
def test_lossless_that_is_neither_is_named(value: object) -> None:
    with pytest.raises(ValueError, match="lossless must be True or False"):
        pillow_lic.encode(Image.new("RGB", (9, 9)), lossless=value)


@pytest.mark.parametrize("level", [-1, MAX_LEVEL + 1])
def test_wrong_level(level: int) -> None:
    with pytest.raises(ValueError, match=f"level must be 0-1024, got {level}"):
        levels.level_to_quality(level)


def test_numpy_numbers_are_numbers() -> None:
    assert EncodeOptions(quality=np.float32(7.5)).quality == 7.5
    assert EncodeOptions(target_size=np.int64(1000)).target_size == 1000
    assert EncodeOptions(model=np.int64(13)).model == 13
    assert EncodeOptions(exact=np.False_).exact is False


@pytest.mark.parametrize("value", [True, np.True_, 13.0, b"lic1", [13], np.array([1, 3])])
def test_a_model_that_is_neither_name_nor_number_is_named(value: object) -> None:
    with pytest.raises(ValueError, match="model must be the name or the number of a model, got "):
        EncodeOptions(model=value)  # type: ignore[arg-type]


def test_numbers_and_flags_of_numpy_through_save() -> None:
    image = Image.new("RGB", (9, 9))
    assert pillow_lic.encode(image, model=np.uint8(13), exact=np.False_) == pillow_lic.encode(
        image, model=13, exact=False
    )


def test_default() -> None:
    chosen = EncodeOptions()
    assert chosen.level == levels.quality_to_level(options.DEFAULT_QUALITY) == levels.quality_to_level(6)
    assert not chosen.has_target
    assert EncodeOptions(quality=50).level == levels.quality_to_level(5)


@pytest.mark.parametrize("name", ["target_size", "target_bpp", "target_psnr"])
def test_targets(name: str) -> None:
    assert EncodeOptions(**{name: 2}).has_target
    for wrong in (0, -1, float("nan"), "big", True):
        with pytest.raises(ValueError, match=f"{name} must be a positive number of .*, got "):
            EncodeOptions(**{name: wrong})


def test_one_aim_at_a_time() -> None:
    with pytest.raises(ValueError, match="got target_bpp and target_psnr"):
        EncodeOptions(target_bpp=1, target_psnr=30)


class Box(NamedTuple):
    left: int
    upper: int
    right: int
    lower: int


def test_roi() -> None:
    assert EncodeOptions(roi=(0, 0, 8, 8)).roi == ((0, 0, 8, 8),)
    assert EncodeOptions(roi=[(0, 0, 8, 8), (8, 8, 9, 9, 0.5)]).roi == ((0, 0, 8, 8), (8, 8, 9, 9, 0.5))
    box = Box(0, 0, 8, 8)
    assert EncodeOptions(roi=box).roi == EncodeOptions(roi=[box]).roi == ((0, 0, 8, 8),)
    mask = np.zeros((4, 4))
    assert EncodeOptions(roi=mask).roi is mask


@pytest.mark.parametrize("roi", ["all", [], (1, 2, 3), [(0, 0, "x", 4)], [5], 7, np.zeros(3)])
def test_wrong_roi(roi: object) -> None:
    with pytest.raises(ValueError, match="roi must be a picture-sized mask or boxes"):
        EncodeOptions(roi=roi)


def test_roi_box_without_area() -> None:
    with pytest.raises(ValueError, match=r"right > left and lower > upper, got \(5, 0, 5, 8\)"):
        EncodeOptions(roi=(5, 0, 5, 8))


@pytest.mark.parametrize("weight", [-0.1, 2.5])
def test_roi_box_of_a_wrong_weight(weight: float) -> None:
    with pytest.raises(ValueError, match=f"the weight of a roi box must be 0-1, got {weight}"):
        EncodeOptions(roi=[(0, 0, 8, 8), (0, 0, 8, 8, weight)])


@pytest.mark.parametrize(
    ("importance", "shown"),
    [
        ("automatic", "'automatic'"),
        (True, "True"),
        (1.5, "1.5"),
        (-0.1, "-0.1"),
        (float("nan"), "nan"),
        ((0, 0, 8, 8), r"\(0, 0, 8, 8\)"),
        (np.zeros((4, 4, 1)), r"an array of shape \(4, 4, 1\)"),
        (np.zeros(1), r"an array of shape \(1,\)"),
    ],
)
def test_wrong_importance(importance: object, shown: str) -> None:
    legal = r'None, "auto", "semantic", a strength 0-1 or a map of shape \(height, width\)'
    with pytest.raises(ValueError, match=f"importance must be {legal}, got {shown}"):
        EncodeOptions(importance=importance)


@pytest.mark.parametrize(
    ("importance", "strength"), [("auto", 1), (1, 1), (0.25, 0.25), (np.float32(0.5), 0.5), (0, None)]
)
def test_strength_of_the_automatic_map(importance: object, strength: float | None) -> None:
    assert EncodeOptions(importance=importance).importance == strength


@pytest.mark.parametrize("model", [True, 1.5, b"lic1"])
def test_wrong_model(model: object) -> None:
    with pytest.raises(ValueError, match="model must be the name or the number"):
        EncodeOptions(model=model)


@pytest.mark.parametrize("effort", [-1, 10, 1.5, "high", True])
def test_wrong_effort(effort: object) -> None:
    with pytest.raises(ValueError, match="effort must be a whole number 0-9, got"):
        EncodeOptions(effort=effort)  # type: ignore[arg-type]


def test_effort_may_be_any_whole_number() -> None:
    assert [EncodeOptions(effort=effort).effort for effort in (0, np.int64(3), 9.0)] == [0, 3, 9]
    assert EncodeOptions().effort is None
    assert EncodeOptions(effort=0, lossless=True).lossless


def test_help_says_the_default_model_and_its_effort() -> None:
    default = models.choose(None)
    assert (default.name, default.effort) == (models.DEFAULT, 1)
    assert f"Default {default.name};" in OPTIONS["model"].meaning
    says = f"{default.name} has a fast encoder for 0 and a large one for {default.effort}, its default;"
    assert says in OPTIONS["effort"].meaning
    assert {model.effort for model in models.models() if model is not default} == {0}


def test_close_match() -> None:
    assert arguments.close_match("Qualty", tuple(options.OPTIONS)) == "quality"
    assert arguments.close_match("comment", tuple(options.OPTIONS)) is None


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("described", [pillow_lic.save, pillow_lic.encode, EncodeOptions, LicPlugin.write])
def test_help_lists_every_option_with_its_range(described: Callable[..., object]) -> None:
    words = " ".join(pydoc.render_doc(described, renderer=pydoc.plaintext).replace("|", "").split())
    for name, row in options.OPTIONS.items():
        assert f"{name}: {row.legal}." in words


def test_the_readme_names_every_option() -> None:
    table = (ROOT / "README.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert named >= {*options.OPTIONS, "exif", "xmp", "icc_profile"}


def test_the_command_line_has_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("encode", "convert"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        for name, row in options.OPTIONS.items():
            assert (f"--{name.replace('_', '-')}" in shown) == (command in row.commands)


def test_every_keyword_of_save_is_known_to_the_plugin() -> None:
    assert set(options.OPTIONS) < set(saving.SAVE_WORDS)
    assert saving.unknown_words(options.OPTIONS) == ""


def test_what_is_long_is_cut_in_messages() -> None:
    mask = np.zeros((60, 80)).tolist()
    for roi in (mask, [(0, 0, 8, 8)] * 300 + [(0,)], (0, 0, 10**400, 8)):
        with pytest.raises(ValueError, match="roi must be a picture-sized mask or boxes") as caught:
            EncodeOptions(roi=roi)
        assert len(str(caught.value)) < 200


def test_the_wrong_one_of_many_boxes_is_named() -> None:
    with pytest.raises(ValueError, match=r"got \(1, 2, 3\)$"):
        EncodeOptions(roi=[(0, 0, 8, 8), (1, 2, 3)])


def test_help_of_the_package_begins_with_its_functions() -> None:
    shown = pydoc.render_doc(pillow_lic, renderer=pydoc.plaintext)
    begin = shown[: shown.index("PACKAGE CONTENTS")]
    for name in ("save", "encode", "open", "convert", "settings", "register"):
        assert re.search(rf"^ +{name}\(", begin, re.MULTILINE)
