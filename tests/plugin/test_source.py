"""File objects of all sorts that have no more than read, seek and tell; files that change, and that hold more than a picture."""

import io
import mmap
import os
import signal
import tracemalloc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands.command_line import run
from made.tiled import in_tiles
from PIL import Image

import pillow_lic
from pillow_lic import inspecting
from pillow_lic.fileformat import container, source
from pillow_lic.fileformat.header import parse_header
from pillow_lic.fileformat.varint import write_varint
from pillow_lic.inspecting import description
from pillow_lic.plugin import LicImageFile


class Remote:
    """A file of which reading gives at most so many bytes at a time, and seeking nothing, as an SFTP client's may."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file, self._most = io.BytesIO(data), most

    def read(self, size: int = -1) -> bytes:
        return self._file.read(self._most if size < 0 else min(size, self._most))

    def seek(self, position: int, whence: int = 0) -> None:
        self._file.seek(position, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def several(photo: Image.Image, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A picture of several tiles, with alpha, importance and metadata."""
    in_tiles(monkeypatch, 128)
    im = photo.resize((300, 200)).convert("RGBA")
    im.putalpha(Image.linear_gradient("L").resize(im.size))
    return pillow_lic.encode(im, quality=3, roi=[(10, 10, 90, 90)], xmp=b"<x/>" * 100, exif=Image.Exif())


def test_reading_goes_on_until_nothing_comes() -> None:
    fp = Remote(bytes(range(200)), 7)
    assert source.size_from(fp, 50) == 150
    assert source.read_at(fp, 20, 100) == bytes(range(20, 120))
    assert source.read_at(fp, 190, 100) == bytes(range(190, 200))
    assert source.read_at(fp, 500, 10) == source.read_at(fp, 0, 0) == b""


@pytest.mark.parametrize("most", [7, 10**6])
def test_every_door_takes_a_path_bytes_and_files_that_read_little(
    photo: Image.Image, tmp_path: Path, most: int
) -> None:
    jpeg = io.BytesIO()
    photo.save(jpeg, "JPEG", quality=40)
    data = pillow_lic.encode(Image.open(jpeg), model="restored")
    progressive = pillow_lic.encode(photo, quality=8)
    doors = (
        (pillow_lic.extract, data, jpeg.getvalue()),
        (lambda file: pillow_lic.cut(file, 600), progressive, pillow_lic.cut(progressive, 600)),
        (
            lambda file: pillow_lic.restore(file).tobytes(),
            jpeg.getvalue(),
            pillow_lic.restore(jpeg.getvalue()).tobytes(),
        ),
    )
    for door, file, found in doors:
        (tmp_path / "a").write_bytes(file)
        for given in (tmp_path / "a", str(tmp_path / "a"), bytearray(file), memoryview(file), Remote(file, most)):
            assert door(given) == found
        for wrong in (0, None, [file], photo.tobytes, io.StringIO("a")):
            with pytest.raises(TypeError, match="a file must be a path, bytes, or a binary file object, got"):
                door(wrong)


def test_a_file_that_knows_no_end_is_counted(several: bytes) -> None:
    class Endless(Remote):
        """Seeks from the beginning only, as a stream over HTTP may; Pillow's own formats ask for no more."""

        def seek(self, position: int) -> None:
            super().seek(position)

    assert source.size_from(Endless(bytes(200), 7), 50) == 150
    assert Image.open(Endless(several, 10**6)).tobytes() == pillow_lic.open(several).tobytes()


@pytest.mark.parametrize("most", [5, 1000, 10**6])
def test_a_file_object_of_read_seek_and_tell(several: bytes, most: int) -> None:
    whole = np.asarray(pillow_lic.open(several))
    np.testing.assert_array_equal(np.asarray(Image.open(Remote(several, most))), whole)
    Image.open(Remote(several, most)).verify()
    part = Image.open(Remote(several, most)).region((100, 60, 150, 130))
    assert np.abs(np.asarray(part).astype(int) - whole[60:130, 100:150]).max() <= 1
    small = Image.open(Remote(several, most))
    small.thumbnail((40, 40))
    assert small.size[0] == 40


def test_mmap(several: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.lic").write_bytes(several)
    with (tmp_path / "a.lic").open("rb") as fp, mmap.mmap(fp.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert Image.open(view).tobytes() == pillow_lic.open(several).tobytes()


@pytest.mark.parametrize("buffering", [0, -1])
def test_open_files(several: bytes, tmp_path: Path, buffering: int) -> None:
    (tmp_path / "a.lic").write_bytes(several)
    with (tmp_path / "a.lic").open("rb", buffering=buffering) as fp, Image.open(fp) as im:
        assert im.tobytes() == pillow_lic.open(several).tobytes()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("action", "arguments"), [("load", []), ("region", [(0, 0, 9, 9)]), ("thumbnail", [(9, 9)])])
def test_another_picture_is_not_loaded_in_the_place_of_the_one_that_was_opened(
    photo: Image.Image, monkeypatch: pytest.MonkeyPatch, strict: bool, action: str, arguments: list[object]
) -> None:
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", not strict)
    for other in (photo.resize((40, 30)), photo.convert("L"), photo.resize((400, 300)), photo.convert("RGBA")):
        fp = io.BytesIO(pillow_lic.encode(photo))
        im = pillow_lic.open(fp)
        fp.seek(0)
        fp.write(pillow_lic.encode(other))
        with pytest.raises(pillow_lic.LicDamagedError, match="another one than when it was opened"):
            getattr(im, action)(*arguments)


def test_what_follows_another_header_does_not_pass_either(photo: Image.Image) -> None:
    """The same header, but other sections behind it."""
    fp = io.BytesIO(pillow_lic.encode(photo))
    im = pillow_lic.open(fp)
    fp.seek(0)
    fp.write(pillow_lic.encode(photo.rotate(180), xmp=b"<x/>"))
    with pytest.raises(pillow_lic.LicDamagedError):
        im.load()


def test_what_nobody_asks_for_is_not_read(lic: Path) -> None:
    """20 MB of sections of a later release, of which none is in memory; `verify` looks at one at a time."""
    good = lic.read_bytes()
    _, length = parse_header(good[:31])
    start = int.from_bytes(good[length - 2 : length], "little")
    head = b"\x90" + write_varint(2**20)
    section = head + bytes(2**20)
    section += zlib.crc32(section, start).to_bytes(4, "little")
    fp = io.BytesIO(good[:length] + 20 * section + good[length:])
    Image.open(lic).load()  # the networks

    def cut(fp: io.BytesIO) -> None:
        with pytest.raises(ValueError, match="more than the 2097"):
            pillow_lic.cut(fp, 2_000_000)

    def thumbnail(fp: io.BytesIO) -> None:
        Image.open(fp).thumbnail((8, 8))

    load, verify = LicImageFile.load, LicImageFile.verify
    opened = [lambda fp, method=method: method(pillow_lic.open(fp)) for method in (load, verify, LicImageFile.getexif)]
    for action in (*opened, thumbnail, lambda fp: pillow_lic.open(fp).region((0, 0, 8, 8)), description.describe, cut):
        fp.seek(0)
        tracemalloc.start()
        action(fp)
        assert tracemalloc.get_traced_memory()[1] < 5e6
        tracemalloc.stop()


def test_tiles_are_read_when_they_are_asked_for(several: bytes) -> None:
    front = container.read_front(io.BytesIO(several))
    payloads = container.TilePayloads(io.BytesIO(several), front)
    assert [len(payload) for payload in payloads.values()] == [
        ref.length for ref in front.sections if ref.name == "tile"
    ]
    cut = several[:-9]
    front = container.read_front(io.BytesIO(cut))
    lenient = container.TilePayloads(io.BytesIO(cut), front, strict=False)
    assert isinstance(lenient[len(lenient) - 1], container.CutPayload)
    with pytest.raises(pillow_lic.LicTruncatedError, match="before tile 6 of 6"):
        container.TilePayloads(io.BytesIO(cut), front)[5]
    with pytest.raises(pillow_lic.LicTruncatedError, match="ends inside its tile section: 9 bytes"):
        inspecting.verify(cut)


class Taker:
    """A file object that takes at most so many bytes at a time, and says how many if it `tells`."""

    def __init__(self, most: int, tells: bool = True) -> None:
        self.got, self._most, self._tells = b"", most, tells

    def write(self, data: bytes) -> int | None:
        self.got += bytes(data[: self._most])
        return min(len(data), self._most) if self._tells else None


def test_writing_goes_on_until_all_is_taken(photo: Image.Image) -> None:
    data = pillow_lic.encode(photo)
    for fp in (Taker(7), Taker(10**6), Taker(10**6, tells=False)):
        photo.save(fp, "LIC")
        assert fp.got == data
    fp = Taker(100)
    pillow_lic.save(photo, fp)
    assert fp.got == data
    with pytest.raises(OSError, match="took none of the last"):
        photo.save(Taker(0), "LIC")


def test_writing_gives_bytes_and_believes_no_yes(photo: Image.Image) -> None:
    """The `write` of WSGI takes nothing but bytes, and some say that it went well instead of how many bytes went."""
    got: list[bytes] = []

    class Strict:
        def write(self, data: object) -> bool:
            assert isinstance(data, bytes)
            got.append(data)
            return True

    photo.save(Strict(), "LIC")
    assert got == [pillow_lic.encode(photo)]


@pytest.mark.parametrize("action", ["load", "region"])
def test_a_file_that_ends_before_its_first_tile_is_no_picture(
    several: bytes, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    """Without its alpha plane it cannot even be grey."""
    monkeypatch.setattr("PIL.ImageFile.LOAD_TRUNCATED_IMAGES", True)
    front = container.read_front(io.BytesIO(several))
    first = next(ref for ref in front.sections if ref.name == "tile")
    before = [ref for ref in front.sections if ref.name in ("importance", "alpha")]
    for end in (before[0].offset + 1, before[1].offset - 2, before[1].offset + 5, before[1].end):
        im = pillow_lic.open(several[:end])
        with pytest.raises(pillow_lic.LicTruncatedError, match="ends"):
            im.load() if action == "load" else im.region((0, 0, 9, 9))
    assert pillow_lic.open(several[: first.offset + 9]).getpixel((200, 150))[:3] == (128, 128, 128)


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let no file of this process grow over a size for a `with` block, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("length", [50, 3_000, 30_000])
def test_a_full_disk_leaves_nothing_half_written(photo: Image.Image, tmp_path: Path, length: int) -> None:
    """Of a small file Python would notice it only when Pillow closes the file, and does not take it away any more."""
    new, old, own = tmp_path / "new.lic", tmp_path / "old.lic", tmp_path / "own.bin"
    old.write_bytes(b"old")
    with open(own, "w+b") as fp:
        fp.write(b"before")
        with no_file_over(20):
            for target in (new, old, fp):
                with pytest.raises(OSError, match="File too large"):
                    photo.save(target, "LIC", quality=3, xmp=bytes(length))
        fp.write(b"after")
    assert not new.exists()
    assert old.read_bytes() == b""  # emptied before we are asked
    assert own.read_bytes() == b"beforeafter"


def test_numbers_of_numpy_say_how_much_was_taken(photo: Image.Image) -> None:
    class Counting(Taker):
        def write(self, data: bytes) -> Any:
            return np.int64(super().write(data))

    fp = Counting(100)
    pillow_lic.save(photo, fp)
    assert fp.got == pillow_lic.encode(photo)


def test_a_pipe_that_is_full_and_does_not_wait_is_an_error(photo: Image.Image) -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with open(read, "rb"), open(write, "wb", buffering=0) as fp, pytest.raises(BlockingIOError):
        photo.save(fp, "LIC", xmp=bytes(2**20))


@pytest.mark.parametrize("value", [None, 5, np.zeros(9, np.uint8), io.StringIO("a")])
def test_what_can_be_no_file_is_named(photo: Image.Image, value: Any) -> None:
    with pytest.raises(TypeError, match="a file must be a path, bytes, or a binary file object, got "):
        pillow_lic.open(value)
    with pytest.raises(TypeError, match="a file must be a path, bytes, or a binary file object, got "):
        pillow_lic.save(photo, value)


class Pipe(Remote):
    """A file that cannot go back, as a pipe or the answer of a server."""

    def seek(self, position: int, whence: int = 0) -> None:
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        raise OSError(29, "Illegal seek")


def test_what_cannot_go_back(photo: Image.Image, tmp_path: Path) -> None:
    data = pillow_lic.encode(photo, quality=6)
    assert pillow_lic.cut(Pipe(data, 100), 1000) == pillow_lic.cut(data, 1000)
    photo.save(tmp_path / "a.jpg")
    original = (tmp_path / "a.jpg").read_bytes()
    kept = pillow_lic.encode(Image.open(tmp_path / "a.jpg"), model="restored")
    assert pillow_lic.extract(Pipe(kept, 100)) == original
    assert pillow_lic.restore(Pipe(original, 100)).size == photo.size


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="needs names of descriptors")
@pytest.mark.parametrize("words", [["info"], ["cut", "--size", "1000"]])
def test_a_pipe_by_its_name(photo: Image.Image, tmp_path: Path, words: list[str]) -> None:
    """As `lic info <(curl ...)` names it."""
    reading, writing = os.pipe()
    os.write(writing, pillow_lic.encode(photo, quality=6))
    os.close(writing)
    try:
        assert run(words[0], f"/dev/fd/{reading}", *([tmp_path / "b.lic"] if words[1:] else []), *words[1:]) == 0
    finally:
        os.close(reading)
