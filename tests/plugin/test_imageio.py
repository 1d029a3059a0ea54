"""imageio's v2 and v3 functions after `import pillow_lic`, and nothing else."""

import gc
import io
import signal
import subprocess
import sys
from pathlib import Path

import imageio
import imageio.v2 as iio2
import imageio.v3 as iio
import numpy as np
import pytest
from imageio.config import extension_list, known_extensions, known_plugins
from imageio.core.request import Request
from PIL import Image
from pillow_lic.imageio_plugin import register
from pillow_lic.imageio_plugin.backend import LicPlugin

import pillow_lic
from pillow_lic.engine import models


@pytest.fixture
def array(photo: Image.Image) -> np.ndarray:
    return np.asarray(photo)


def pillow_pixels(source: object) -> np.ndarray:
    with pillow_lic.open(source) as im:  # type: ignore[arg-type]
        return np.asarray(im)


@pytest.mark.parametrize("first", ["imageio", "pillow_lic"])
def test_the_order_of_imports_does_not_matter(lic: Path, first: str) -> None:
    second = {"imageio": "pillow_lic", "pillow_lic": "imageio"}[first]
    program = (
        f"import sys, {first}, {second}; import imageio.v3 as iio; "
        "print(iio.imread(sys.argv[1]).shape, type(iio.imopen(sys.argv[1], 'r')).__name__)"
    )
    result = subprocess.run([sys.executable, "-c", program, lic], capture_output=True, text=True, check=True, cwd="/")
    assert result.stdout.strip() == "(64, 96, 3) LicPlugin"


def test_a_failing_registration_does_not_break_imageio() -> None:
    program = (
        "import sys, warnings; warnings.simplefilter('error'); warnings.filterwarnings('always', 'imageio was not told'); "
        "import pillow_lic; sys.modules['pillow_lic.imageio_plugin'] = None; import imageio.v3; print(imageio.v3.__name__)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd="/")
    assert result.stdout.strip() == "imageio.v3"
    assert "imageio was not told about .lic files" in result.stderr


def test_registering_again_changes_nothing() -> None:
    before = (len(known_plugins), len(extension_list), known_extensions[".lic"])
    register()
    assert (len(known_plugins), len(extension_list), known_extensions[".lic"]) == before


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "file", "stream"])
def test_v3_read(lic: Path, kind: str) -> None:
    expected = pillow_pixels(lic)
    with lic.open("rb") as fp:
        data = lic.read_bytes()
        source = {"path": lic, "str": str(lic), "bytes": data, "file": fp, "stream": io.BytesIO(data)}[kind]
        found = iio.imread(source)
        np.testing.assert_array_equal(found, expected)
        assert found.flags.writeable
        again = {"path": lic, "str": str(lic), "bytes": data, "file": fp, "stream": io.BytesIO(data)}[kind]
        fp.seek(0)
        np.testing.assert_array_equal(iio.imread(again, extension=".lic"), expected)


def test_v3_read_plugin_by_name(lic: Path) -> None:
    np.testing.assert_array_equal(iio.imread(lic, plugin="LIC"), pillow_pixels(lic))


def test_v3_read_options(lic: Path, array: np.ndarray) -> None:
    assert iio.imread(lic, mode="L").shape == (64, 96)
    assert iio.imread(lic, rotate=True).shape == (96, 64, 3)
    assert not iio.imread(lic, writeable_output=False).flags.writeable
    np.testing.assert_array_equal(iio.imread(lic, threads=1, providers="cpu"), iio.imread(lic))
    with pytest.raises(ValueError, match="threads must be"):
        iio.imread(lic, threads=0)
    with pytest.raises(TypeError, match="thread"):
        iio.imread(lic, thread=1)


def test_v3_index(lic: Path) -> None:
    assert iio.imread(lic, index=0).shape == (64, 96, 3)
    assert iio.imread(lic, index=...).shape == (1, 64, 96, 3)
    with pytest.raises(ValueError, match="index must be 0, got 1"):
        iio.imread(lic, index=1)


def test_v3_iter(lic: Path) -> None:
    frames = list(iio.imiter(lic, mode="L"))
    assert [frame.shape for frame in frames] == [(64, 96)]


def test_v3_properties_and_metadata_do_not_decode(lic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pillow_lic.codec.decode", lambda *_, **__: pytest.fail("decoded"))
    found = iio.improps(lic)
    assert (found.shape, found.dtype, found.is_batch) == ((64, 96, 3), np.uint8, False)
    batch = iio.improps(lic, index=...)
    assert (batch.shape, batch.n_images, batch.is_batch) == ((1, 64, 96, 3), 1, True)
    meta = iio.immeta(lic, exclude_applied=False)
    assert (meta["lic_quality"], meta["lic_version"], meta["Orientation"], meta["xmp"]) == (6, 1, 6, b"<x/>")
    assert "Orientation" not in iio.immeta(lic)
    with pytest.raises(ValueError, match="index must be 0"):
        iio.improps(lic, index=2)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 1), (40, 50, 2), (40, 50, 3), (40, 50, 4), (1, 40, 50, 3)])
def test_v3_write_shapes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, 100, np.uint8)
    iio.imwrite(tmp_path / "a.lic", pixels, quality=8)
    found = iio.imread(tmp_path / "a.lic")
    assert found.shape == (pixels[0] if pixels.ndim == 4 else pixels.squeeze()).shape
    assert np.abs(found.astype(int) - 100).max() < 12


def test_v3_write_targets(tmp_path: Path, array: np.ndarray) -> None:
    expected = pillow_lic.encode(Image.fromarray(array), quality=4)
    iio.imwrite(tmp_path / "a.lic", array, quality=4)
    iio.imwrite(tmp_path / "a.part", array, extension=".lic", quality=4)
    stream = io.BytesIO()
    iio.imwrite(stream, array, extension=".lic", quality=4)
    assert (tmp_path / "a.lic").read_bytes() == (tmp_path / "a.part").read_bytes() == stream.getvalue() == expected
    assert iio.imwrite("<bytes>", array, extension=".lic", quality=4) == expected
    assert iio.imwrite("<bytes>", array, plugin="LIC", quality=4) == expected
    for name in (None, "LIC", "lic"):  # as for the Pillow backend
        assert iio.imwrite("<bytes>", array, extension=".lic", quality=4, format=name) == expected


def test_v3_write_metadata_and_options(tmp_path: Path, array: np.ndarray) -> None:
    exif = Image.Exif()
    exif[271] = "maker"
    path = tmp_path / "a.lic"
    iio.imwrite(path, array, target_size=900, exif=exif, xmp="<x/>", icc_profile=b"profile", threads=1)
    assert path.stat().st_size <= 900
    meta = iio.immeta(path)
    assert (meta["Make"], meta["xmp"], meta["icc_profile"]) == ("maker", b"<x/>", b"profile")


def test_v3_write_with_every_option_of_the_encoder(array: np.ndarray) -> None:
    mask = np.zeros(array.shape[:2])
    mask[16:] = 1
    words = {"quality": 5, "roi": [(0, 0, 48, 32)], "importance": mask}
    words["model"] = models.choose(None).number
    expected = pillow_lic.encode(Image.fromarray(array), **words)
    assert iio.imwrite("<bytes>", array, extension=".lic", **words) == expected
    for name in ("roi", "importance"):
        fewer = {key: value for key, value in words.items() if key != name}
        assert iio.imwrite("<bytes>", array, extension=".lic", **fewer) != expected


def test_v3_write_a_list_of_one_and_a_batch(tmp_path: Path, array: np.ndarray) -> None:
    iio.imwrite(tmp_path / "a.lic", [array])
    iio.imwrite(tmp_path / "b.lic", array[None, :, :, 0], is_batch=True)
    assert iio.imread(tmp_path / "b.lic").shape == (64, 96)
    with pytest.raises(ValueError, match="got a batch of 2"):
        iio.imwrite(tmp_path / "c.lic", [array, array])


@pytest.mark.parametrize(
    ("pixels", "words", "kind", "message"),
    [
        (np.zeros((4, 4)), {}, ValueError, "array of float64: scale it to 0-255"),
        (np.zeros((4, 4, 7), np.uint8), {}, ValueError, "got shape"),
        (np.zeros((4, 4), np.uint8), {"quality": 0}, ValueError, "quality must be"),
        (np.zeros((4, 4), np.uint8), {"qualty": 5}, TypeError, "qualty"),
        (np.zeros((4, 4), np.uint8), {"mode": "I;16"}, ValueError, "8-bit mode"),
        (np.zeros((4, 4), np.uint8), {"format": "PNG"}, ValueError, "writes the format LIC, not .PNG."),
    ],
)
def test_mistakes_leave_the_old_file(tmp_path: Path, pixels: np.ndarray, words: dict, kind: type, message: str) -> None:
    target = tmp_path / "a.lic"
    target.write_bytes(b"old")
    with pytest.raises(kind, match=message):
        iio.imwrite(target, pixels, **words)
    assert target.read_bytes() == b"old"


def test_v3_one_picture_a_file(tmp_path: Path, array: np.ndarray) -> None:
    with iio.imopen(tmp_path / "a.lic", "w") as file:
        file.write(array)
        with pytest.raises(ValueError, match="holds one picture"):
            file.write(array)
    assert iio.imread(tmp_path / "a.lic").shape == array.shape


def test_v3_damaged_file(lic: Path) -> None:
    lic.write_bytes(lic.read_bytes()[:-9])
    with pytest.raises(OSError, match="ends inside its tile section"):
        iio.imread(lic)


def test_other_formats_under_our_name(array: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(array).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.lic")
    np.testing.assert_array_equal(iio.imread(tmp_path / "a.lic"), array)
    with pytest.raises(OSError, match="`LIC` can not handle the given uri"):
        iio.imread(tmp_path / "a.lic", plugin="LIC")


def test_other_formats_are_not_ours_to_write(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(OSError, match="`LIC` can not handle the given uri"):
        iio.imwrite(tmp_path / "a.png", array, plugin="LIC")
    iio.imwrite(tmp_path / "b.png", array)
    np.testing.assert_array_equal(iio.imread(tmp_path / "b.png"), array)


def test_v2(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.lic"
    iio2.imwrite(path, array, quality=4)
    assert path.read_bytes() == pillow_lic.encode(Image.fromarray(array), quality=4)
    expected = pillow_pixels(path)
    np.testing.assert_array_equal(iio2.imread(path), expected)
    np.testing.assert_array_equal(iio2.imread(path, format="lic"), expected)
    with iio2.get_reader(path) as reader:
        assert len(reader) == 1
        np.testing.assert_array_equal(reader.get_data(0), expected)
        assert reader.get_meta_data()["lic_quality"] == 4
    with iio2.get_writer(tmp_path / "b.lic", format="lic", quality=4) as writer:
        writer.append_data(array)
    assert (tmp_path / "b.lic").read_bytes() == path.read_bytes()


def test_top_level_v2(lic: Path) -> None:
    with pytest.warns(DeprecationWarning, match="Starting with ImageIO v3"):
        found = imageio.imread(lic)
    np.testing.assert_array_equal(found, pillow_pixels(lic))


def test_zip_member(tmp_path: Path, array: np.ndarray) -> None:
    iio.imwrite(tmp_path / "a.zip/x.lic", array, quality=5)
    assert iio.imread(tmp_path / "a.zip/x.lic").shape == array.shape


def test_it_is_the_plugin_class_too(lic: Path) -> None:
    np.testing.assert_array_equal(iio.imread(lic, plugin=LicPlugin), pillow_pixels(lic))


def test_a_stream_that_holds_something_else_already(photo: Image.Image) -> None:
    stream = io.BytesIO()
    stream.write(b"before")
    iio.imwrite(stream, np.asarray(photo), extension=".lic")
    assert stream.getvalue()[:6] == b"before"
    assert iio.imread(stream.getvalue()[6:], extension=".lic").shape == np.asarray(photo).shape


@pytest.mark.parametrize("there", [True, False])
def test_a_full_disk_leaves_a_file_whole_or_untouched(tmp_path: Path, there: bool) -> None:
    resource = pytest.importorskip("resource")
    target = tmp_path / "a.lic"
    if there:
        target.write_bytes(b"old")
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, old[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            iio.imwrite(target, pixels)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"] * there


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_start_that_a_time_limit_leaves_is_closed_quietly(
    lic: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """imageio closes a plugin when it goes; its own says then that it lacks what it never came to make."""
    gc.collect()  # what other tests left would be closed here
    closed: list[str] = []

    class Late(Exception):
        pass

    def late(plugin: LicPlugin, request: Request) -> None:
        plugin._request = request
        raise Late

    monkeypatch.setattr("imageio.core.v3_plugin_api.PluginV3.__init__", late)
    finish = Request.finish
    monkeypatch.setattr(Request, "finish", lambda request: (closed.append("closed"), finish(request)))
    monkeypatch.setattr(sys, "unraisablehook", lambda said: closed.append(str(said.exc_value)))
    with pytest.raises(Late):
        LicPlugin(Request(lic if mode == "r" else "<bytes>", mode, extension=".lic"))
    gc.collect()
    assert closed == ["closed"]
