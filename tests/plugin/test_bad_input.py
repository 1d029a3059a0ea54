"""Files of ours that Pillow cannot show: an OSError with a sentence, at once, before any network."""

import binascii
import contextlib
import io
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from made.tiled import stream_of
from PIL import Image, UnidentifiedImageError

import pillow_lic
from pillow_lic.engine import models, runtime
from pillow_lic.errors import LicDamagedError, LicError, LicLimitError, LicTruncatedError, LicUnsupportedError
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import Header, write_header
from pillow_lic.fileformat.identity import MAGIC
from pillow_lic.fileformat.varint import write_varint

ALLOWED = 0.010
"""Seconds to refuse a file; nothing of it is spent on pixels."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "run", lambda *_, **__: pytest.fail("a network ran"))


def header(**changes: object) -> Header:
    spec = models.choose(None)
    return replace(Header("RGB", 64, 48, 0, spec.number, spec.hash, 500), **changes)  # type: ignore[arg-type]


def good(**changes: object) -> bytes:
    """A file that is right in everything the container knows; half of it is metadata, half its tile."""
    return container.pack(header(**changes), [stream_of(1, 0, bytes(3000))], metadata={"exif": b"MM\0*" + bytes(3000)})


def front(data: bytes) -> int:
    """Length of the header."""
    return len(write_header(container.unpack(data).header))


def with_picture_byte(value: int) -> bytes:
    written = bytearray(write_header(header())[:-2])
    written[7] = value
    return bytes(written) + binascii.crc_hqx(written, 0xFFFF).to_bytes(2, "little")


def raw(width: int, height: int) -> bytes:
    """A header of any size, its checksum right."""
    numbers = write_varint(width) + write_varint(height) + write_varint(models.choose(None).number)
    written = MAGIC + b"\1\2" + numbers + models.choose(None).hash + bytes(2)
    return written + binascii.crc_hqx(written, 0xFFFF).to_bytes(2, "little")


def altered(data: bytes, position: int, bit: int = 0) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


def inserted(tag: int) -> bytes:
    """A section after the header; its checksum is not asked, because its tag is enough."""
    data = good()
    return data[: front(data)] + bytes([tag, 3]) + b"new" + bytes(4) + data[front(data) :]


AT_OPEN: dict[str, tuple[Callable[[], bytes], type[LicError], str]] = {
    "cut header": (lambda: good()[:12], LicTruncatedError, "ends after 12 bytes, inside its header"),
    "cut magic": (lambda: good()[:5], LicTruncatedError, "ends after 5 bytes, inside its header"),
    "cut metadata": (lambda: good()[:1000], LicTruncatedError, "ends inside its EXIF section"),
    "altered metadata": (lambda: altered(good(), 1000), LicDamagedError, "EXIF section is damaged"),
    "text mode": (lambda: good().replace(b"\r\n", b"\n", 1), LicDamagedError, "text mode"),
    "unknown version": (lambda: good()[:6] + b"\7" + good()[7:], LicUnsupportedError, "version 7.*reads version 1"),
    "unknown model": (lambda: good(model_id=4711), LicUnsupportedError, "needs model 4711, this release has"),
    "another model": (
        lambda: good(model_hash=b"\xde\xad\xbe\xef"),
        LicUnsupportedError,
        r"another model \d+ \(hash deadbeef",
    ),
    "reserved bit 7": (lambda: with_picture_byte(0x82), LicUnsupportedError, "reserved bits set .*0x82"),
    "critical section": (lambda: inserted(0x05), LicUnsupportedError, "section this release does not know .*0x05"),
    "no pixels": (lambda: raw(0, 9), LicDamagedError, "at least one pixel, got 0x9"),
    "too wide": (lambda: raw(70000, 1), LicLimitError, "70000x1 pixels is over the limit of 65535"),
    "too many pixels": (lambda: raw(60000, 60000), LicLimitError, "60000x60000 pixels is over the limit"),
    "tile too large": (lambda: raw(3000, 3000), LicLimitError, "tile of 9048064 pixels"),
}

AT_LOAD: dict[str, tuple[Callable[[], bytes], type[LicError], str]] = {
    "cut tile": (lambda: good()[:-9], LicTruncatedError, "ends inside its tile section: 9 bytes"),
    "no tile": (lambda: good()[: front(good()) + 3011], LicTruncatedError, "before its last tile"),
    "altered tile": (lambda: altered(good(), -100), LicDamagedError, "tile section is damaged"),
    "reserved bits of a tile": (
        lambda: container.pack(header(), [b"\x10" + bytes(99)]),
        LicUnsupportedError,
        "tile has reserved bits",
    ),
    "no lanes": (lambda: container.pack(header(), [b"\3" + bytes(20)]), LicDamagedError, "at least 35 bytes"),
    "no states": (lambda: good(), LicDamagedError, "state"),
    "alpha": (
        lambda: container.pack(header(mode="RGBA"), [bytes(99)], alpha=b"\7\7\7"),
        LicDamagedError,
        "alpha section must be",
    ),
    "importance": (
        lambda: container.pack(header(), [bytes(99)], importance=b"no zlib"),
        LicDamagedError,
        "importance section is damaged",
    ),
}


def refuse(call: Callable[[], object], error: type[Exception], sentence: str) -> float:
    """Seconds that a refusal took, of the processor: the machine may be busy."""
    with pytest.raises(error, match=sentence) as caught:
        call()
    spent = []
    for _ in range(5):
        start = time.process_time()
        with contextlib.suppress(error):
            call()
        spent.append(time.process_time() - start)
    assert isinstance(caught.value, OSError)
    assert "\n" not in str(caught.value)
    return min(spent)


@pytest.mark.parametrize(("make", "error", "sentence"), AT_OPEN.values(), ids=AT_OPEN.keys())
def test_refused_at_open(make: Callable[[], bytes], error: type[LicError], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.lic"
    path.write_bytes(make())
    assert refuse(lambda: Image.open(path), error, sentence) < ALLOWED


@pytest.mark.parametrize(("make", "error", "sentence"), AT_LOAD.values(), ids=AT_LOAD.keys())
def test_refused_at_load(make: Callable[[], bytes], error: type[LicError], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.lic"
    path.write_bytes(make())
    with Image.open(path) as im:
        assert im.size == (64, 48)
        assert refuse(im.load, error, sentence) < ALLOWED


def test_every_altered_bit_of_the_header_is_refused() -> None:
    data = good()
    for position in range(front(data)):
        error = LicError if position >= 4 else UnidentifiedImageError
        sentence = "damaged|version|altered|shortest form|ends" if position >= 4 else "cannot identify"
        for bit in range(8):
            with pytest.raises(error, match=sentence):
                Image.open(io.BytesIO(altered(data, position, bit)))


def test_an_altered_header_is_refused_at_once() -> None:
    data = altered(good(), 9)
    assert refuse(lambda: Image.open(io.BytesIO(data)), LicDamagedError, "header is damaged") < ALLOWED


def test_a_picture_over_pillows_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = good()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 64 * 48 // 2 - 1)
    spent = []
    for _ in range(5):
        start = time.process_time()
        with pytest.raises(Image.DecompressionBombError, match="3072 pixels"):
            Image.open(io.BytesIO(data))
        spent.append(time.process_time() - start)
    assert min(spent) < ALLOWED


def test_a_picture_over_the_callers_limit() -> None:
    data = good()
    with pillow_lic.settings(max_pixels=3071):
        assert refuse(lambda: Image.open(io.BytesIO(data)), LicLimitError, "64x48 pixels, more than the 3071") < ALLOWED


@pytest.mark.parametrize("name", [name for name in AT_LOAD if name != "no states"])
def test_verify_finds_it_too(name: str) -> None:
    make, error, sentence = AT_LOAD[name]
    if name in ("alpha", "importance"):
        Image.open(io.BytesIO(make())).verify()  # what a payload says is for `load`; its checksum holds
        return
    assert refuse(lambda: Image.open(io.BytesIO(make())).verify(), error, sentence) < ALLOWED


@pytest.mark.parametrize(
    "call",
    [pillow_lic.open, pillow_lic.extract, lambda data: pillow_lic.cut(data, 1000)],
    ids=["open", "extract", "cut"],
)
@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n" + bytes(60)], ids=["empty", "png"])
def test_a_file_of_another_format_is_one_kind_of_error(call: Callable[[bytes], object], data: bytes) -> None:
    """An OSError, as of everything else that is wrong with a file, and no SyntaxError."""
    with pytest.raises(UnidentifiedImageError):
        call(data)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize(
    ("plane", "most"),
    [(b"\1\x80", 3e6), (b"\0" + zlib.compress(bytes(6000 * 6001), 1), 20e6)],
    ids=["constant", "rows"],
)
def test_an_alpha_plane_that_is_large_is_not_in_memory_for_a_draft(mode: str, plane: bytes, most: float) -> None:
    """36 million values of a file of few bytes: one value takes nothing, rows are averaged as they come (to 2 MB here)."""
    spec = models.choose(None)
    head = Header(mode, 6000, 6000, 1024, spec.number, spec.hash, 0)
    no_symbols = b"\0\0\0" + (1 << 24).to_bytes(4, "little")
    data = container.pack(head, [no_symbols] * head.tile_count, alpha=plane)
    for _ in range(2):  # the first has the networks
        tracemalloc.start()
        with pytest.raises(LicError):
            Image.open(io.BytesIO(data)).thumbnail((700, 700))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < most
