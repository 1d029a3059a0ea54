"""`lic dump`: what a file holds before it becomes a picture, of every family that shows it."""

from pathlib import Path

import numpy as np
import pytest
from engine.released import WRITING, models_of, name_and_number
from made.pictures import photo_like
from PIL import Image

from pillow_lic import codec, families
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.errors import LicDamagedError
from pillow_lic.families import Request
from pillow_lic.families.shared import recurrence
from pillow_lic.families.shared.sign_streams import Signs
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.inspecting import dump
from pillow_lic.options import EncodeOptions

SHOWN = [model for model in WRITING if hasattr(families.of(model), "dump")]


def in_tiles(model: models.Model, pixels: np.ndarray, edge: int, level: int) -> bytes:
    writer = families.writer(model, pixels, Request())
    writer.tiling = Tiling(pixels.shape[1], pixels.shape[0], edge)
    header = Header("RGB", pixels.shape[1], pixels.shape[0], edge, model.number, model.hash, level)
    return container.pack(header, writer.payloads(level))


def test_the_two_families_that_show_all() -> None:
    assert {"lic1", "balle2017"} <= {model.name for model in SHOWN}


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.name)
def test_arrays_of_every_family(model: models.Model) -> None:
    pixels = photo_like(70, 90, 3, seed=1)
    found = dump.dump(codec.encode(pixels, "RGB", EncodeOptions(model=model.number)))
    assert found["shape"].tolist() == [70, 90]
    assert found["level"] == model.nearest_level(EncodeOptions().level)
    assert found["tile_0/area"].tolist() == [0, 0, 90, 70]
    own = {name.removeprefix("tile_0/"): array for name, array in found.items() if name.startswith("tile_0/")}
    assert len(own) > 1
    assert all(array.dtype.kind in "iuf" and array.size for array in own.values())


def test_symbols_of_balle2017_give_the_picture() -> None:
    model = models.choose("balle2017")
    pixels = photo_like(64, 80, 3, seed=2)
    data = codec.encode(pixels, "RGB", EncodeOptions(model="balle2017", quality=7))
    found = dump.dump(data)
    level = np.full((1, 1, 1, 1), found["level"], np.float32)
    q = found["tile_0/symbols"].astype(np.float32)[None]
    np.testing.assert_array_equal(model.run("synthesis", q=q, level=level)[0][0], codec.decode(data)[1])
    counts = np.bincount(found["tile_0/indexes"].ravel())
    assert set(counts) <= {0, q[0, 0].size}


@pytest.mark.parametrize("name", ["toderici2015", "toderici2017", "johnston2018"])
def test_signs_of_a_recurrent_model_give_the_picture(name: str) -> None:
    data = codec.encode(photo_like(40, 70, 3, seed=7), "RGB", EncodeOptions(model=name, quality=5))
    found = dump.dump(data)
    signs = Signs(found["tile_0/steps"], found["tile_0/signs"])
    assert (np.count_nonzero(signs.values.any(1), 0) == signs.counts).all()
    np.testing.assert_array_equal(recurrence.shown(models.choose(name), signs, (40, 70)), codec.decode(data)[1])


@pytest.mark.parametrize("model", models_of("lic1"), ids=name_and_number)
def test_residuals_of_lic1_are_those_that_were_coded(model: Model) -> None:
    pixels = photo_like(64, 96, 3, seed=3)
    deltas = np.arange(-12, 12, dtype=np.int8).reshape(4, 6)
    found = dump.dump(codec.encode(pixels, "RGB", EncodeOptions(importance=deltas, quality=5, model=model.name)))
    np.testing.assert_array_equal(found["tile_0/levels"][:, :6], found["level"] + 8.0 * deltas)
    residuals, indexes = found["tile_0/residuals"], found["tile_0/indexes"]
    assert residuals.shape == indexes.shape == found["tile_0/latents"].shape == (model.constants["latents"], 4, 8)
    large = np.abs(residuals[:, :4, :6]).mean(where=indexes[:, :4, :6] > 30)
    assert large > 5 * np.abs(residuals[:, :4, :6]).mean(where=indexes[:, :4, :6] < 10)


def test_tiles_are_named_by_their_place() -> None:
    model = models.choose("balle2017")
    found = dump.dump(in_tiles(model, photo_like(64, 300, 3, seed=4), 128, 500))
    assert found["tile_1/area"].tolist() == [112, 0, 272, 64]
    assert {name.partition("/")[0] for name in found} == {"level", "shape", "tile_0", "tile_1", "tile_2"}


def test_a_family_without_symbols_is_refused() -> None:
    data = codec.encode(photo_like(8, 8, 3, seed=5), "RGB", EncodeOptions(lossless=True))
    with pytest.raises(
        ValueError, match="must be of a model whose family is one of agustsson2017, .*balle2017, .*got lossless"
    ):
        dump.dump(data)


def test_damage_is_named() -> None:
    data = bytearray(codec.encode(photo_like(64, 64, 3, seed=6), "RGB", EncodeOptions()))
    data[-20] ^= 1
    with pytest.raises(LicDamagedError):
        dump.dump(bytes(data))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_what_has_no_end_is_not_read_for_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dump", "/dev/zero", str(tmp_path / "a.npz")]) == 1
    assert capsys.readouterr().err == "lic: /dev/zero: not a .lic file\n"


def test_the_command(lic: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.npz"
    assert main(["dump", str(lic), str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    with np.load(out) as found, Image.open(lic) as im:
        assert [line.split()[0] for line in printed] == list(found)
        assert found["shape"].tolist() == [im.height, im.width]
        assert im.info["lic_quality"] == pytest.approx(1 + 9 * found["level"].item() / 1024, abs=0.01)
    assert main(["dump", str(lic), str(out)]) == 2
    assert main(["dump", str(lic), str(tmp_path / "a.png")]) == 2
    assert "dump writes .npz files, got" in capsys.readouterr().err
