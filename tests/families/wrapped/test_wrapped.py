"""Files with a JPEG file inside: what is kept, shown and refused."""

import io
import random
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from engine.released import each_wrapping
from made.jpegs import jpeg_of, opened
from made.pictures import photo_like
from PIL import Image
from reference import blocks_reference, stranger

import pillow_lic
from families.coded import check_format
from pillow_lic import codec, families, inspecting, metrics
from pillow_lic.__main__ import main
from pillow_lic.engine import models
from pillow_lic.errors import LicDamagedError, LicError, LicLimitError, LicUnsupportedError
from pillow_lic.fileformat import container, jpeg, streams
from pillow_lic.fileformat.header import CHANNELS, Header
from pillow_lic.options import EncodeOptions

RESTORED = models.choose("restored")


def held(
    data: bytes, shape: tuple[int, int], model: models.Model = RESTORED, mode: str = "RGB", edge: int = 0
) -> bytes:
    """A .lic file with this file inside, whose checksums are right."""
    header = Header(mode, shape[1], shape[0], edge, model.number, model.hash, 500)
    payload = streams.pack([data])
    return container.pack(header, [payload] * header.tile_count)


def test_the_file_itself_is_kept(photo_jpeg: Path, tmp_path: Path) -> None:
    path, data = tmp_path / "cat.lic", photo_jpeg.read_bytes()
    with Image.open(photo_jpeg) as im:
        im.save(path, model="restored", exif=im.info["exif"])
    assert pillow_lic.extract(path) == data
    assert len(data) < path.stat().st_size < len(data) + 300
    with Image.open(path) as im:
        assert (im.info["lic_model"], im.info["lic_quality"]) == ("restored", pytest.approx(3, abs=0.01))
        assert im.getexif()[0x010F] == "a camera"
        assert im.tobytes() == pillow_lic.restore(data).tobytes()
        part = im.region((100, 50, 300, 200))
        assert np.abs(np.asarray(part).astype(int) - np.asarray(im)[50:200, 100:300]).max() <= 1
    inspecting.verify(path.read_bytes())
    stream = Image.open(io.BytesIO(data))  # not loaded yet
    assert pillow_lic.extract(pillow_lic.encode(stream, model="restored")) == data


def test_a_grey_or_progressive_file_is_kept_too(cat: np.ndarray) -> None:
    for data in (
        jpeg_of(cat[:, :, :1], quality=50),
        jpeg_of(cat, quality=50, progressive=True, subsampling=0) + b"what phones append",
    ):
        file = pillow_lic.encode(Image.open(io.BytesIO(data)), model="restored")
        assert pillow_lic.extract(file) == data
        assert pillow_lic.open(file).tobytes() == pillow_lic.restore(data).tobytes()


def test_a_picture_that_is_no_jpeg_file_is_saved_as_one(photo_jpeg: Path, cat: np.ndarray) -> None:
    plain = pillow_lic.encode(Image.fromarray(cat), model="restored", quality=3)
    inside = pillow_lic.extract(plain)
    assert jpeg.facts_of(inside).quality == 30
    assert metrics.psnr(cat, np.asarray(pillow_lic.open(plain))) > metrics.psnr(cat, opened(inside)) + 0.7
    with Image.open(photo_jpeg) as im:
        asked = pillow_lic.encode(im, model="restored", quality=8)
        assert jpeg.facts_of(pillow_lic.extract(asked)).quality == 80
    target = len(plain)
    assert 0.9 * target < len(pillow_lic.encode(Image.fromarray(cat), model="restored", target_size=target)) <= target


def test_a_changed_picture_is_said_to_be_saved_anew(photo_jpeg: Path, tmp_path: Path) -> None:
    with Image.open(photo_jpeg) as im:
        im.putpixel((0, 0), (255, 0, 0))
        with pytest.warns(UserWarning, match="not kept, it is saved anew with quality 6: its pixels were changed"):
            im.save(tmp_path / "x.lic", model="restored")
    with Image.open(io.BytesIO(photo_jpeg.read_bytes())) as im:
        im.load()
        with pytest.warns(UserWarning, match="cannot be read any more"):
            im.save(tmp_path / "x.lic", model="restored")
    with Image.open(photo_jpeg) as im, warnings.catch_warnings():
        warnings.simplefilter("error")
        im.copy().save(tmp_path / "x.lic", model="restored")


@each_wrapping
@pytest.mark.parametrize("mode", CHANNELS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 300), (17, 16), (131, 75)])
def test_pictures_of_every_kind(height: int, width: int, mode: str, model: models.Model) -> None:
    pixels = photo_like(height, width, CHANNELS[mode], seed=height)
    data = codec.encode(pixels, mode, EncodeOptions(model=model.name, quality=9))
    header, shown = codec.decode(data)
    assert (header.mode, header.width, header.height, header.tile_edge) == (mode, width, height, 0)
    assert np.abs(shown.astype(int) - pixels).mean() < 14
    if mode.endswith("A"):
        np.testing.assert_array_equal(shown[..., -1], pixels[..., -1])


@each_wrapping
def test_drafts_are_those_of_the_file_inside(cat: np.ndarray, model: models.Model) -> None:
    data = pillow_lic.encode(Image.fromarray(cat), model=model.name, quality=9)
    for scale in (2, 4, 8):
        im = pillow_lic.open(data)
        im.draft(None, (cat.shape[1] // scale, cat.shape[0] // scale))
        assert im.size == (-(-cat.shape[1] // scale), -(-cat.shape[0] // scale))
        small = Image.fromarray(cat).resize(im.size, Image.Resampling.BOX)
        assert metrics.psnr(np.asarray(small), np.asarray(im)) > 25


def decode_alone(model: stranger.Model, coded: list[bytes], shape: tuple[int, int], level: int) -> np.ndarray:
    """FORMAT.md, 14.9."""
    with Image.open(io.BytesIO(coded[0]), formats=["JPEG"]) as im:
        pixels, grey = np.asarray(im.convert("RGB")), im.mode == "L"
        steps = [im.quantization[0], im.quantization[0 if grey else 1]]
        halved = [0.0, 0.0] if grey else [float(im.layer[0][k] > im.layer[1][k]) for k in (2, 1)]
    missing = [(0, -length % model.constants["align"]) for length in pixels.shape[:2]]
    told = {
        "steps": np.array(steps, np.float32).reshape(1, 128, 1, 1),
        "halved": np.array(halved, np.float32).reshape(1, 2, 1, 1),
    }

    def run(role: str, **pictures: np.ndarray) -> np.ndarray:
        session = onnxruntime.InferenceSession(model.files[role].read_bytes(), providers=["CPUExecutionProvider"])
        (result,) = session.run(None, {taken.name: (pictures | told)[taken.name] for taken in session.get_inputs()})
        return result

    padded = np.pad(pixels, (*missing, (0, 0)), "edge")
    shown = run("restore", pixels=padded)
    if "refine" in model.files:
        shown = run("refine", pixels=padded, shown=shown[0])
    found = shown[0, : shape[0], : shape[1]]
    if model.constants["scale"] > 1:
        return found
    found = blocks_reference.calmed(found, pixels)
    found = np.where(blocks_reference.noisy(pixels, steps[0])[..., None], pixels, found)
    if not grey:
        found = blocks_reference.held(found, pixels, blocks_reference.luma_of(coded[0]), steps[0])
    found = np.where(blocks_reference.still(pixels)[..., None], pixels, found)
    missing = [*((0, -length % 8) for length in pixels.shape[:2]), (0, 0)]
    (opened,) = run("gate", decoded=np.pad(pixels, missing, "edge"), shown=np.pad(found, missing, "edge"))
    return blocks_reference.gated(found, pixels, opened)


@each_wrapping
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_format_is_enough_to_decode(mode: str, model: models.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stranger.PLAIN, model.procedure, decode_alone)
    data = codec.encode(photo_like(50, 70, CHANNELS[mode], seed=3), mode, EncodeOptions(model=model.name, quality=4))
    check_format(data)


@each_wrapping
def test_a_file_of_another_size_is_refused_before_it_is_decoded(
    model: models.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jpeg, "pixels_of", lambda *_: pytest.fail("it was decoded"))
    data = jpeg_of(photo_like(60, 80))
    scale = model.constants["scale"]
    for shape in ((60 * scale, 80 * scale + 1), (61 * scale, 80 * scale), (1, 1), (65535, 1000)):
        with pytest.raises(LicDamagedError, match="its markers say 80x60"):
            codec.decode(held(data, shape, model))


def test_other_formats_inside_are_never_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("another reader was asked"))
    for name in ("PNG", "WEBP", "GIF", "TIFF", "MPO"):
        file = io.BytesIO()
        Image.new("RGB", (8, 8)).save(file, name)
        if name == "MPO":
            codec.decode(held(file.getvalue(), (8, 8)))  # the first picture is a JPEG file like any other
            continue
        with pytest.raises(LicDamagedError, match="must be a JPEG file"):
            codec.decode(held(file.getvalue(), (8, 8)))
        with pytest.raises(LicDamagedError, match="must be a JPEG file"):
            inspecting.verify(held(file.getvalue(), (8, 8)))


def test_other_wrong_files_inside_are_refused() -> None:
    data = jpeg_of(photo_like(60, 80))
    cmyk = io.BytesIO()
    Image.new("CMYK", (80, 60)).save(cmyk, "JPEG")
    scan = data[data.index(b"\xff\xda") : -2]
    for wrong, words, kind in (
        (data[:-2], "ends early", LicDamagedError),
        (data[: len(data) // 2], "ends early", LicDamagedError),
        (b"", "must be a JPEG file", LicDamagedError),
        (cmyk.getvalue(), "got CMYK", LicUnsupportedError),
        (data[:-2] + 200 * scan + data[-2:], "at most 100 scans", LicLimitError),
    ):
        with pytest.raises(kind, match=words):
            codec.decode(held(wrong, (60, 80)))
    header = Header("RGB", 80, 60, 0, RESTORED.number, RESTORED.hash, 500)
    with pytest.raises(LicDamagedError, match="must have one stream, got 2"):
        codec.decode(container.pack(header, [streams.pack([data, data])]))
    with pytest.raises(LicDamagedError, match="must be one tile, got 2"):
        codec.decode(held(data, (60, 200), edge=128))


def test_a_damaged_file_inside_is_shown_grey_if_that_is_wanted() -> None:
    data = held(jpeg_of(photo_like(60, 80))[:-2], (60, 80))
    assert (codec.decode(data, strict=False)[1] == families.MISSING).all()
    whole = held(jpeg_of(photo_like(60, 80)), (60, 80))
    assert (codec.decode(whole[:-100], strict=False)[1] == families.MISSING).all()


def test_mutations_of_the_file_inside_are_errors_or_pictures() -> None:
    rng = random.Random(7)
    data = jpeg_of(photo_like(40, 56), quality=40, progressive=True)
    damaged = 0
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 8))):
            place = rng.randrange(len(data)) if rng.random() < 0.5 else rng.randrange(min(700, len(data)))
            changed[place] = rng.randrange(256)
        if rng.random() < 0.2:
            del changed[rng.randrange(len(changed)) :]
        try:
            shown = codec.decode(held(bytes(changed), (40, 56)))[1]
        except LicError:
            damaged += 1
        else:
            assert shown.shape == (40, 56, 3)
    assert 30 < damaged < 300


def test_a_file_of_another_model_holds_none(cat: np.ndarray) -> None:
    with pytest.raises(
        LicUnsupportedError, match="balle2017 contains no JPEG file; only files of jiang2017 and restored do"
    ):
        pillow_lic.extract(pillow_lic.encode(Image.fromarray(cat), model="balle2017"))


def test_commands_keep_and_extract(photo_jpeg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lic, again = tmp_path / "cat.lic", tmp_path / "again.jpg"
    assert main(["encode", str(photo_jpeg), str(lic), "--model", "restored"]) == 0
    assert main(["extract", str(lic), str(again)]) == 0
    assert again.read_bytes() == photo_jpeg.read_bytes()
    assert main(["extract", str(lic), str(again)]) == 2
    capsys.readouterr()
    assert main(["encode", str(photo_jpeg), str(lic), "--model", "restored", "--strip"]) == 1
    assert "metadata must be kept for model restored" in capsys.readouterr().err
    assert main(["encode", str(photo_jpeg), str(lic), "--model", "restored", "--strip", "-q", "5"]) == 0
    with Image.open(lic) as im:
        assert not im.getexif()
