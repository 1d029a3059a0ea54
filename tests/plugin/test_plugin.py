"""The Pillow contract: registration, opening, pixels and modes.

Names of tests follow those of Pillow's own tests of WebP and AVIF where those have one.
"""

import gc
import io
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.saved_pictures import psnr, reopened
from PIL import Image, UnidentifiedImageError, features

import pillow_lic
from pillow_lic import plugin
from pillow_lic.engine import models
from pillow_lic.fileformat import container, header
from pillow_lic.fileformat.identity import accept

MODES = ["L", "LA", "RGB", "RGBA"]


def with_alpha(im: Image.Image, mode: str) -> Image.Image:
    """The image in a mode; its alpha, if it has one, is a ramp with hard edges."""
    out = im.convert(mode)
    if mode.endswith("A"):
        ramp = np.add.outer(np.arange(im.height), np.arange(im.width)) % 256
        out.putalpha(Image.fromarray(ramp.astype(np.uint8)))
    return out


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
