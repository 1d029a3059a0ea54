"""`ImageFile.Parser`: a file that comes bit by bit, and the picture that there is before all of it has come."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

import pillow_lic
from pillow_lic import metrics
from pillow_lic.fileformat import container, header


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_parser(lic: Path, step: int) -> None:
    data = lic.read_bytes()
    with ImageFile.Parser() as parser:
        for start in range(0, len(data), step):
            parser.feed(data[start : start + step])
        im = parser.close()
    assert im.tobytes() == Image.open(lic).tobytes()
    with Image.open(lic) as whole:
        assert im.info == whole.info


def test_parser_of_a_cut_file_is_an_oserror(lic: Path) -> None:
    for length in (5, 12, 40, len(lic.read_bytes()) - 1):
        parser = ImageFile.Parser()
        parser.feed(lic.read_bytes()[:length])
        with pytest.raises(OSError, match=r".+"):
            parser.close()


def test_parser_has_an_early_picture(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo.convert("RGB"), model="toderici2017", quality=10)
    parser, reached = ImageFile.Parser(), []
    parser.feed(data[:60])
    for start in range(60, len(data), 150):
        parser.feed(data[start : start + 150])
        assert parser.image is not None
        assert parser.image.size == photo.size
        reached.append(metrics.psnr(np.asarray(photo.convert("RGB")), np.asarray(parser.image)))
    assert len(reached) > 3
    assert reached[-1] > reached[0] + 1
    assert np.diff(reached).min() > -0.1
    assert parser.close().tobytes() == pillow_lic.open(data).tobytes()


def test_parser_before_the_first_tile_has_no_picture_yet(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo.convert("RGB"))
    length = len(header.write_header(container.unpack(data).header))
    parser = ImageFile.Parser()
    parser.feed(data[:length])
    assert parser.image is not None
    with pytest.raises(OSError, match="file ends"):
        parser.image.load()
    parser.feed(data[length:])
    assert parser.close().tobytes() == pillow_lic.open(data).tobytes()


@pytest.mark.parametrize("model", ["lic1", "toderici2017"])
def test_what_is_done_with_an_early_picture_leaves_no_trace_in_the_whole_one(photo: Image.Image, model: str) -> None:
    """Pixels of a draft must not stand among those of the whole size."""
    data = pillow_lic.encode(photo.convert("RGB"), model=model)
    for act in (
        lambda im: im.draft(None, (photo.width // 4, photo.height // 4)),
        lambda im: im.thumbnail((9, 9)),
        lambda im: im.region((3, 3, 20, 20)).load(),
        lambda im: im.copy(),
    ):
        parser = ImageFile.Parser()
        parser.feed(data[:60])
        parser.feed(data[60 : len(data) // 2])
        act(parser.image)
        parser.feed(data[len(data) // 2 :])
        assert parser.close().tobytes() == pillow_lic.open(data).tobytes()


def test_parser_of_a_damaged_file_says_so(lic: Path) -> None:
    data = bytearray(lic.read_bytes())
    data[-20] ^= 1
    parser = ImageFile.Parser()
    parser.feed(bytes(data[:100]))
    with pytest.raises(pillow_lic.LicDamagedError):
        parser.feed(bytes(data[100:]))


def test_parser_of_a_part_that_pillow_may_load(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = lic.read_bytes()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    parser = ImageFile.Parser()
    parser.feed(data[: len(data) // 2])
    shown = parser.close()
    with Image.open(io.BytesIO(data[: len(data) // 2])) as im:
        assert shown.tobytes() == im.tobytes()
