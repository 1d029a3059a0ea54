"""The Pillow contract, row by row. Names of tests follow Pillow's own tests of WebP and AVIF where those have one."""

import copy
import gc
import io
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from packaging.version import Version
from PIL import Image, ImageFile, UnidentifiedImageError, features

import pillow_lic
from pillow_lic import metrics, plugin, saving
from pillow_lic.engine import models
from pillow_lic.fileformat import container, header
from pillow_lic.naming import accept

MODES = ["L", "LA", "RGB", "RGBA"]


def with_alpha(im: Image.Image, mode: str) -> Image.Image:
    """The image in a mode; its alpha, if it has one, is a ramp with hard edges."""
    out = im.convert(mode)
    if mode.endswith("A"):
        ramp = np.add.outer(np.arange(im.height), np.arange(im.width)) % 256
        out.putalpha(Image.fromarray(ramp.astype(np.uint8)))
    return out


def saved(im: Image.Image, **options: object) -> io.BytesIO:
    buffer = io.BytesIO()
    im.save(buffer, "LIC", **options)
    return buffer


def reopened(im: Image.Image, **options: object) -> Image.Image:
    out = Image.open(saved(im, **options))
    out.load()
    return out


def psnr(a: Image.Image, b: Image.Image) -> float:
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    return 10 * np.log10(255**2 / max(np.mean(difference**2), 1e-9))


def front_of(width: int, height: int, **changes: object) -> bytes:
    """A file that is a header and nothing else."""
    spec = models.choose(None)
    fields = {"tile_edge": 1024 if width * height > 2**21 else 0, "model_id": spec.number, "model_hash": spec.hash}
    return header.write_header(header.Header("RGB", width, height, **{**fields, "level": 500, **changes}))


def run_python(program: str, *args: object, env: dict[str, str] | None = None) -> str:
    """Run a program in a fresh interpreter, outside the checkout, and return what it printed."""
    result = subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


# Identification and opening


def test_registration() -> None:
    assert Image.registered_extensions()[".lic"] == "LIC"
    assert Image.MIME["LIC"] == "image/x-lic"
    assert "LIC" in Image.OPEN
    assert "LIC" in Image.SAVE
    assert "LIC" in Image.SAVE_ALL
    buffer = io.StringIO()
    features.pilinfo(buffer, supported_formats=True)
    assert "LIC image/x-lic\nExtensions: .lic\nFeatures: open, save, save_all" in buffer.getvalue()


def test_register_again_restores_a_stolen_format(lic: Path) -> None:
    try:
        Image.register_open("LIC", lambda fp, name: pytest.fail("the thief was asked"), accept)
        pillow_lic.register()
        with Image.open(lic) as im:
            assert im.format == "LIC"
    finally:
        pillow_lic.register()


def test_accept_knows_the_magic_of_the_container() -> None:
    assert accept(header.MAGIC)
    assert accept(header.MAGIC + b"\xff" * 10)
    assert not accept(header.MAGIC[:3])
    assert not accept(b"\x89PNG\r\n\x1a\n" + bytes(8))


def test_open_reads_the_header_only(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.codec.decode", lambda *_, **__: pytest.fail("decoded"))
    with Image.open(lic) as im:
        assert isinstance(im, plugin.LicImageFile)
        assert (im.format, im.mode, im.size) == ("LIC", "RGB", (96, 64))
        assert im.format_description == "Learned image compression"
        assert im.get_format_mimetype() == "image/x-lic"
        assert (im.n_frames, im.is_animated, im.tell()) == (1, False, 0)
        assert im.info["lic_quality"] == 6
        assert im.info["lic_model"] == models.choose(None).name
        assert im.info["lic_version"] == 1
        assert all(isinstance(key, str) for key in im.info)


@pytest.mark.parametrize("name", ["WEBP", "JPEG", "AVIF", "PNG", "TIFF", "GIF", "BMP", "JPEG2000", "PDF", "LIC"])
def test_info_asks_no_format_for_anything_else(photo: Image.Image, name: str) -> None:
    """Programs pass `**im.info` to keep the metadata."""
    if name not in Image.SAVE:
        Image.init()
    im = pillow_lic.open(pillow_lic.encode(photo, dpi=(72, 72), xmp=b"<x/>", quality=5))
    im.load()
    plain, given = io.BytesIO(), io.BytesIO()
    im.save(plain, name, **({"quality": 5} if name == "LIC" else {}))
    im.save(given, name, **im.info)
    assert 0 <= len(given.getvalue()) - len(plain.getvalue()) < 500


def test_info_of_other_formats_is_no_mistyped_option(photo: Image.Image) -> None:
    png = io.BytesIO()
    photo.quantize(8).save(png, "PNG", transparency=0, dpi=(72, 72))
    im = Image.open(png)
    im.info["jfif_density"] = (1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        im.save(io.BytesIO(), "LIC", **im.info)
    with pytest.warns(UserWarning, match="jfif_density"):
        photo.save(io.BytesIO(), "LIC", jfif_density=(1, 1))


def test_info_can_be_pickled(lic: Path) -> None:
    with Image.open(lic) as im:
        assert pickle.loads(pickle.dumps(im.info)) == im.info


def test_content_decides_not_the_name(lic: Path, photo: Image.Image, tmp_path: Path) -> None:
    disguised = tmp_path / "photo.jpg"
    disguised.write_bytes(lic.read_bytes())
    with Image.open(disguised) as im:
        assert im.format == "LIC"
        im.load()
    photo.save(tmp_path / "png.png")
    (tmp_path / "png.png").rename(tmp_path / "png.lic")
    with Image.open(tmp_path / "png.lic") as im:
        assert im.format == "PNG"


def test_formats_argument(lic: Path) -> None:
    with Image.open(lic, formats=["LIC"]) as im:
        assert im.format == "LIC"
    with pytest.raises(UnidentifiedImageError):
        Image.open(lic, formats=["PNG"])


def test_open_accepts_only_lic(lic: Path, photo: Image.Image) -> None:
    with pillow_lic.open(lic) as im, pillow_lic.open(lic.read_bytes()) as again:
        assert im.size == again.size
    png = io.BytesIO()
    photo.save(png, "PNG")
    with pytest.raises(UnidentifiedImageError):
        pillow_lic.open(png)


@pytest.mark.parametrize("wrap", [str, Path, os.fsencode, lambda path: io.BytesIO(Path(path).read_bytes())])
def test_sources(lic: Path, wrap: object) -> None:
    with Image.open(wrap(str(lic))) as im:  # type: ignore[operator]
        assert im.convert("L").size == (96, 64)


def test_file_pointer_could_be_reused(lic: Path) -> None:
    with lic.open("rb") as fp:
        with Image.open(fp) as im:
            im.load()
        with Image.open(fp) as im:
            im.load()
        assert not fp.closed


def test_stream_at_another_position_is_rewound(lic: Path) -> None:
    stream = io.BytesIO(lic.read_bytes())
    stream.seek(40)
    assert Image.open(stream).size == (96, 64)


def test_non_seekable_stream(lic: Path) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as out:
        out.write(lic.read_bytes())
    with os.fdopen(read, "rb") as stream, Image.open(stream) as im:
        im.load()
        assert im.size == (96, 64)


def test_zip_member(lic: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.write(lic, "photo.lic")
    with zipfile.ZipFile(archive) as zipped, zipped.open("photo.lic") as member, Image.open(member) as im:
        im.load()
        assert im.format == "LIC"


def test_no_resource_warning(lic: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        im = Image.open(lic)
        im.load()
        del im
        with Image.open(lic):
            pass
        lic.write_bytes(lic.read_bytes()[:9] + bytes(40))
        with pytest.raises(OSError, match="damaged"):
            Image.open(lic)
        gc.collect()


def test_closed_image(lic: Path) -> None:
    with Image.open(lic) as im:
        pass
    with pytest.raises(ValueError, match="Operation on closed image"):
        im.load()


def test_seek(lic: Path) -> None:
    with Image.open(lic) as im:
        im.seek(0)
        with pytest.raises(EOFError):
            im.seek(1)


# What is not a good file


def test_invalid_file() -> None:
    with pytest.raises(SyntaxError, match="not a .lic file"):
        plugin.LicImageFile(io.BytesIO(b"\x89PNG and so on, long enough"))
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"\x8aLJC\r\n" + bytes(50)))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (header.MAGIC, "ends after 6 bytes"),
        (header.MAGIC + b"\x02" + bytes(30), "format version 2"),
        (header.MAGIC.replace(b"\r\n", b"\n") + bytes(30), "text mode"),
        (front_of(64, 64, model_id=999), "needs model 999"),
        (front_of(64, 64, model_hash=b"\0\1\2\3"), "another model"),
    ],
)
def test_ours_but_not_readable_says_why(data: bytes, sentence: str) -> None:
    with pytest.raises(pillow_lic.LicError, match=sentence):
        Image.open(io.BytesIO(data))


def test_every_cut_is_noticed(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.engine.runtime.run", lambda *_, **__: pytest.fail("a network ran"))
    data = lic.read_bytes()
    for length in range(16, len(data)):
        with pytest.raises(OSError, match=r"ends|missing|at least"):
            Image.open(io.BytesIO(data[:length])).load()


def test_verify_notices_every_changed_byte(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.engine.runtime.run", lambda *_, **__: pytest.fail("a network ran"))
    data = bytearray(lic.read_bytes())
    Image.open(io.BytesIO(data)).verify()
    for position in range(len(data)):
        data[position] ^= 0x10
        with io.BytesIO(data) as fp, pytest.raises((OSError, SyntaxError)):
            Image.open(fp).verify()
        data[position] ^= 0x10


def test_verify_closes_the_file(lic: Path) -> None:
    im = Image.open(lic)
    fp = im.fp
    im.verify()
    assert fp.closed
    with pytest.raises(ValueError, match="Operation on closed image"):
        im.load()


def test_verify_after_load(lic: Path) -> None:
    with Image.open(lic) as im:
        im.load()
        im.verify()


def test_a_changed_payload_is_an_error_each_time(lic: Path) -> None:
    im = Image.open(io.BytesIO(lic.read_bytes()[:-10] + bytes(10)))
    for _ in range(2):
        with pytest.raises(OSError, match="tile section is damaged"):
            im.load()


def test_load_truncated_images(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = lic.read_bytes()[:-20]
    with pytest.raises(OSError, match="ends inside its tile section"):
        Image.open(io.BytesIO(cut)).load()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert np.abs(np.asarray(Image.open(io.BytesIO(cut))).astype(int) - np.asarray(Image.open(lic))).mean() < 8
    tile = container.read_front(io.BytesIO(lic.read_bytes())).sections[-1]
    assert Image.open(io.BytesIO(lic.read_bytes()[: tile.offset + 5])).getpixel((3, 3)) == (128, 128, 128)


# Limits


def test_decompression_bomb_warning() -> None:
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(io.BytesIO(front_of(10000, 10000)))


def test_decompression_bomb_error_comes_before_anything_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    data = io.BytesIO(front_of(50, 50))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(data)
    data.seek(0)
    with pytest.raises(Image.DecompressionBombError):
        plugin.LicImageFile(data)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert Image.open(data).size == (50, 50)


def test_max_pixels_of_the_settings(lic: Path) -> None:
    with pillow_lic.settings(max_pixels=96 * 64):
        Image.open(lic).close()
    with (
        pillow_lic.settings(max_pixels=96 * 64 - 1),
        pytest.raises(pillow_lic.LicLimitError, match="96x64 pixels, more than the 6143"),
    ):
        Image.open(lic)


# Incremental parsing


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


# Pixels and modes


@pytest.mark.parametrize("mode", MODES)
def test_modes_are_kept(photo: Image.Image, mode: str) -> None:
    im = with_alpha(photo, mode)
    out = reopened(im, quality=8)
    assert out.mode == mode
    assert out.size == im.size
    assert psnr(im.convert("RGB"), out.convert("RGB")) > 28
    if mode.endswith("A"):
        assert out.getchannel("A").tobytes() == im.getchannel("A").tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 200), (17, 3), (64, 64), (65, 63)])
def test_any_size(photo: Image.Image, size: tuple[int, int]) -> None:
    assert reopened(photo.resize(size)).size == size


def test_pixels_can_be_changed_after_loading(lic: Path) -> None:
    with Image.open(lic) as im:
        im.putpixel((0, 0), (1, 2, 3))
        assert im.getpixel((0, 0)) == (1, 2, 3)


def test_numpy(lic: Path) -> None:
    with Image.open(lic) as im:
        pixels = np.asarray(im)
    assert pixels.shape == (64, 96, 3)
    assert pixels.dtype == np.uint8


def test_thumbnail(lic: Path) -> None:
    with Image.open(lic) as im:
        im.thumbnail((32, 32))
        assert im.size == (32, 21)


def test_decoding_twice_gives_the_same(lic: Path) -> None:
    assert Image.open(lic).tobytes() == Image.open(lic).tobytes()


# Saving


def test_quality_means_more_bytes_and_better_pixels(photo: Image.Image) -> None:
    sizes = [len(saved(photo, quality=quality).getvalue()) for quality in (2, 5, 9)]
    assert sizes == sorted(set(sizes))
    assert psnr(photo, reopened(photo, quality=9)) > psnr(photo, reopened(photo, quality=2)) + 3


def test_percent(photo: Image.Image) -> None:
    assert saved(photo, quality=85).getvalue() == saved(photo, quality=8.5).getvalue()


@pytest.mark.parametrize("quality", [0, -3, 0.5, 101, float("nan"), "high", True])
def test_invalid_quality(photo: Image.Image, quality: object) -> None:
    with pytest.raises(ValueError, match=r"quality must be 1-10 \(or 11-100 as percent\), got "):
        saved(photo, quality=quality)


def test_what_applications_pass_to_every_format(photo: Image.Image) -> None:
    """As sorl-thumbnail and easy_thumbnails do: no warning, no error."""
    saved(photo, quality=95, optimize=1, progressive=True, subsampling=0, dpi=(72, 72), comment=b"x", save_all=False)


def test_unknown_keyword_is_named_once_with_what_was_meant(photo: Image.Image) -> None:
    with pytest.warns(UserWarning, match=r"'qualty' \(did you mean 'quality'\?\)") as seen:
        photo.save(io.BytesIO(), "LIC", qualty=3, zzz=1)
    assert len(seen) == 1
    assert "'zzz'" in str(seen[0].message)
    assert seen[0].filename == __file__


def test_unknown_keyword_to_our_own_functions(photo: Image.Image, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="'effrt'") as seen:
        pillow_lic.save(photo, tmp_path / "a.lic", effrt=3)
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="'effrt'") as seen:
        pillow_lic.encode(photo, effrt=3)
    assert seen[0].filename == __file__


def test_encoderinfo_on_the_image(photo: Image.Image) -> None:
    im = photo.copy()
    im.encoderinfo = {"quality": 2}
    assert saved(im).getvalue() == saved(photo, quality=2).getvalue()


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_empty_image(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot write empty image"):
        saved(Image.new("RGB", size))


@pytest.mark.parametrize("mode", ["I", "F", "I;16", "I;16B"])
def test_unsupported_modes_say_what_to_do(mode: str) -> None:
    with pytest.raises(OSError, match=rf'cannot write mode {mode} as LIC.*im\.convert\("L"\)'):
        saved(Image.new(mode, (8, 8)))


class WriteOnly:
    """The least a target can be; counts its calls."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.calls.append(bytes(data))
        return len(data)


def test_the_target_is_written_once(photo: Image.Image) -> None:
    target = WriteOnly()
    photo.save(target, "LIC")  # type: ignore[arg-type]
    assert len(target.calls) == 1
    assert target.calls[0] == saved(photo).getvalue()


def test_a_failed_save_removes_a_new_file(photo: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quality"):
        photo.save(tmp_path / "a.lic", quality=1000)
    assert list(tmp_path.iterdir()) == []


def test_our_save_keeps_the_old_file_when_it_fails(lic: Path, photo: Image.Image) -> None:
    before = lic.read_bytes()
    for options in ({"quality": 1000}, {"exif": 5}, {"model": "none"}):
        with pytest.raises((ValueError, TypeError)):
            pillow_lic.save(photo, lic, **options)
    with pytest.raises(OSError, match="cannot write mode F"):
        pillow_lic.save(photo.convert("F"), lic)
    assert lic.read_bytes() == before
    assert list(lic.parent.iterdir()) == [lic]


def test_our_save_takes_paths_and_files(photo: Image.Image, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    pillow_lic.save(photo, buffer, quality=3)
    pillow_lic.save(photo, tmp_path / "any.name", quality=3)
    pillow_lic.save(photo, str(tmp_path / "b.lic"), quality=3)
    expected = pillow_lic.encode(photo, quality=3)
    assert buffer.getvalue() == (tmp_path / "any.name").read_bytes() == (tmp_path / "b.lic").read_bytes() == expected


def test_resave_onto_itself(lic: Path) -> None:
    with Image.open(lic) as im:
        im.save(lic, quality=4)
    with Image.open(lic) as im:
        assert im.info["lic_quality"] == 4
        im.load()


def test_edits_are_saved_not_the_old_file(lic: Path, tmp_path: Path) -> None:
    with Image.open(lic) as im:
        im.paste((255, 0, 0), (0, 0, 96, 64))
        im.save(tmp_path / "red.lic", quality=9)
    with Image.open(tmp_path / "red.lic") as im:
        red, green, blue = im.getpixel((48, 32))
    assert red > 220
    assert max(green, blue) < 40


def test_save_all(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "one.lic", save_all=True)
    with Image.open(tmp_path / "one.lic") as im:
        im.load()
    with pytest.raises(OSError, match="cannot write 3 frames as LIC"):
        photo.save(tmp_path / "three.lic", save_all=True, append_images=[photo, photo])
    if Version(PIL.__version__) >= Version("12"):  # before, Pillow ignored append_images without save_all
        with pytest.raises(OSError, match="cannot write 2 frames as LIC"):
            photo.save(tmp_path / "two.lic", append_images=[photo])
    assert [path.name for path in tmp_path.iterdir()] == ["one.lic"]


def test_background_from_gif(photo: Image.Image) -> None:
    gif = io.BytesIO()
    photo.quantize(16).save(gif, "GIF", save_all=True, append_images=[photo.rotate(90).quantize(16)])
    with Image.open(gif) as im:
        assert reopened(im).size == photo.size
        with pytest.raises(OSError, match="cannot write 2 frames"):
            saved(im, save_all=True)


@pytest.mark.parametrize(
    ("target", "limit"), [({"target_size": 900}, 900), ({"target_bpp": 1.0}, 96 * 64 / 8)], ids=["size", "bpp"]
)
def test_target_is_not_exceeded(photo: Image.Image, target: dict[str, float], limit: float) -> None:
    size = len(saved(photo, **target).getvalue())
    assert 0.9 * limit < size <= limit


def test_target_psnr(photo: Image.Image) -> None:
    assert psnr(photo, reopened(photo, target_psnr=32)) == pytest.approx(32, abs=0.3)


def test_one_aim_at_a_time(photo: Image.Image) -> None:
    with pytest.raises(ValueError, match="give one of .* got quality and target_size"):
        saved(photo, quality=5, target_size=1000)


def test_a_mask_may_be_an_image() -> None:
    mask = Image.new("RGB", (6, 4), "white")
    chosen = saving.encode_options({"roi": mask, "importance": mask})
    assert chosen.roi.tolist() == chosen.importance.tolist() == [[255] * 6] * 4


def test_region_of_interest(photo: Image.Image) -> None:
    mask = Image.new("L", photo.size)
    mask.paste(255, (0, 0, 48, 64))
    box = (0, 0, 48, 64)
    by_mask = saved(photo, quality=4, roi=mask).getvalue()
    assert by_mask == saved(photo, quality=4, roi=[box]).getvalue()
    assert by_mask == saved(photo, quality=4, roi=memoryview(np.asarray(mask))).getvalue()
    plain, better = reopened(photo, quality=4), pillow_lic.open(by_mask)
    assert psnr(photo.crop(box), better.crop(box)) > psnr(photo.crop(box), plain.crop(box)) + 0.5
    with pytest.raises(ValueError, match=r"roi mask must have the shape of the picture, \(64, 96\), got \(2, 2\)"):
        saved(photo, roi=mask.resize((2, 2)))


# Metadata


def test_icc_profile_is_kept_by_default(photo: Image.Image) -> None:
    im = photo.copy()
    im.info["icc_profile"] = b"profile"
    out = reopened(im)
    assert out.info["icc_profile"] == b"profile"
    assert reopened(out).info["icc_profile"] == b"profile"


@pytest.mark.parametrize("value", [None, b"", ""[:0].encode()])
def test_metadata_is_stripped_by_nothing(photo: Image.Image, value: bytes | None) -> None:
    im = photo.copy()
    im.info.update(icc_profile=b"profile", exif=b"Exif\0\0MM", xmp=b"<x/>")
    out = reopened(im, icc_profile=value, exif=value, xmp=value)
    assert out.info.keys().isdisjoint({"icc_profile", "exif", "xmp"})


def test_exif_and_xmp_only_when_passed(photo: Image.Image) -> None:
    im = photo.copy()
    im.info.update(exif=b"Exif\0\0MM", xmp=b"<x/>")
    assert reopened(im).info.keys().isdisjoint({"exif", "xmp"})


def test_exif_in_every_form(photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[274] = 6
    exif[271] = "maker"
    for form in (exif, exif.tobytes(), exif.tobytes().removeprefix(b"Exif\0\0"), bytearray(exif.tobytes())):
        out = reopened(photo, exif=form)
        assert out.info["exif"] == exif.tobytes()
        assert out.getexif()[271] == "maker"
        assert out._getexif()[274] == 6
    assert "exif" not in reopened(photo, exif=Image.Exif()).info
    assert reopened(photo)._getexif() is None


def test_orientation_is_kept_and_not_applied(lic: Path, photo: Image.Image) -> None:
    with Image.open(lic) as im:
        assert im.size == photo.size
        assert im.getexif()[274] == 6


def test_xmp_in_every_form(photo: Image.Image) -> None:
    for form in ("<x>é</x>", "<x>é</x>".encode(), memoryview("<x>é</x>".encode())):
        assert reopened(photo, xmp=form).info["xmp"] == "<x>é</x>".encode()


def test_icc_profile_object(photo: Image.Image) -> None:
    ImageCms = pytest.importorskip("PIL.ImageCms")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    assert reopened(photo, icc_profile=profile).info["icc_profile"] == profile.tobytes()


@pytest.mark.parametrize("name", ["exif", "icc_profile", "xmp"])
def test_metadata_of_a_wrong_type(photo: Image.Image, name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name} must be bytes, .* got int"):
        saved(photo, **{name: 5})


def test_large_metadata(photo: Image.Image) -> None:
    profile = np.random.default_rng(1).bytes(300_000)
    assert zlib.crc32(reopened(photo, icc_profile=profile).info["icc_profile"]) == zlib.crc32(profile)


# Copies, threads, processes


@pytest.mark.parametrize(
    ("image", "shown"), [(np.zeros((8, 8, 3), np.uint8), r"an array of shape \(8, 8, 3\)"), ("a.png", "'a.png'")]
)
def test_what_is_no_image(image: Any, shown: str, tmp_path: Path) -> None:
    said = f"image must be a PIL.Image.Image, which Image.fromarray makes of an array, got {shown}"
    with pytest.raises(TypeError, match=said):
        pillow_lic.encode(image)
    with pytest.raises(TypeError, match=said):
        pillow_lic.save(image, tmp_path / "a.lic")


def test_pickle(lic: Path) -> None:
    im = Image.open(lic)
    again = pickle.loads(pickle.dumps(im))
    assert again == Image.open(lic)
    assert again.tobytes() == im.tobytes()
    again.load()


def test_copies(lic: Path) -> None:
    im = Image.open(lic)
    for other in (copy.copy(im), copy.deepcopy(im), im.copy()):
        assert other.tobytes() == im.tobytes()


def test_eight_threads_on_one_image(lic: Path) -> None:
    expected = Image.open(lic).tobytes()
    data = lic.read_bytes()
    for _ in range(10):
        im = Image.open(io.BytesIO(data))
        gate = threading.Barrier(8)
        found: list[object] = []

        def use(im: Image.Image = im, gate: threading.Barrier = gate, found: list[object] = found) -> None:
            gate.wait()
            try:
                found.append(im.tobytes())
            except Exception as error:
                found.append(error)

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 8


def decode_in_child(path: str) -> bytes:
    import pillow_lic  # noqa: F401 - registers

    return Image.open(path).tobytes()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_new_processes(lic: Path, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.apply(decode_in_child, (str(lic),)) == Image.open(lic).tobytes()
        # A pickled image brings the plugin with it.
        assert pool.apply(Image.Image.tobytes, (Image.open(lic),)) == Image.open(lic).tobytes()


FORK = """
import os, sys, time
from PIL import Image
import pillow_lic
expected = Image.open(sys.argv[1]).tobytes()
child = os.fork()
if child == 0:
    os._exit(0 if Image.open(sys.argv[1]).tobytes() == expected else 3)
begun = time.monotonic()
while time.monotonic() < begun + 50:
    done, code = os.waitpid(child, os.WNOHANG)
    if done:
        print("exit", os.waitstatus_to_exitcode(code))
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    print("the child hangs")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_forked_after_use(lic: Path) -> None:
    assert run_python(FORK, lic, env={"PYTHONWARNINGS": "ignore"}) == "exit 0"


def test_public_names() -> None:
    for name in pillow_lic.__all__:
        assert getattr(pillow_lic, name).__name__ == name
    assert set(pillow_lic.__all__) <= set(dir(pillow_lic))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pillow_lic.nothing  # type: ignore[attr-defined]


def test_conventional_module_name() -> None:
    from pillow_lic import LicImagePlugin

    assert LicImagePlugin.LicImageFile is plugin.LicImageFile
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = LicImagePlugin.nothing


def test_container_and_plugin_agree_on_metadata_names(lic: Path) -> None:
    with lic.open("rb") as fp:
        assert set(container.read_front(fp).metadata) == {"exif", "xmp"}


def test_a_file_within_a_file(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo)
    for use in (lambda im: im.load(), lambda im: im.region((0, 0, 8, 8)), lambda im: im.verify()):
        fp = io.BytesIO(b"before" + data)
        fp.seek(6)
        use(plugin.LicImageFile(fp))


def test_info_of_a_picture_can_be_given_to_save_it(photo: Image.Image) -> None:
    again = pillow_lic.open(pillow_lic.encode(photo, quality=4))
    assert pillow_lic.open(pillow_lic.encode(again, **again.info)).info["lic_quality"] == 4


@pytest.mark.parametrize("box", [np.array([0, 0, 32, 32]), [np.array([0, 0, 32, 32])], np.array([[0, 0, 32, 32]])])
def test_boxes_as_arrays(photo: Image.Image, box: object) -> None:
    assert pillow_lic.encode(photo, roi=box) == pillow_lic.encode(photo, roi=(0, 0, 32, 32))


@pytest.mark.parametrize("use", [lambda im: im.load(), lambda im: im.verify()])
def test_what_follows_the_picture_is_not_read(photo: Image.Image, use: Callable[[Image.Image], object]) -> None:
    data = pillow_lic.encode(photo)
    longest = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal longest
            part = super().read(size)
            longest = max(longest, len(part))
            return part

    use(Image.open(Counting(data + bytes(2**20))))
    assert longest <= len(data)
