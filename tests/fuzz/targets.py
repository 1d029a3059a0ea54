"""The fuzz targets: they parse and open any bytes, and complain about all but our refusals.

Checksums stop a mutated file at once, so `resealed` makes them right again, and `open_picture` decodes a second time with
the checks of the symbols switched off: mutations then reach the range coder, the alpha plane and the networks.
"""

import binascii
import contextlib
import io
import warnings
import zlib
from collections.abc import Iterator
from unittest import mock

from PIL import Image, ImageFile

import pillow_lic
from pillow_lic import inspecting
from pillow_lic.engine import entropy, models
from pillow_lic.errors import LicError, LicRuntimeError, NotLicError
from pillow_lic.fileformat import container
from pillow_lic.fileformat.header import CHANNELS
from pillow_lic.fileformat.identity import MAGIC
from pillow_lic.fileformat.sections import PREVIEW, TILE
from pillow_lic.fileformat.varint import parse_varint

MAX_PIXELS = 2048
"""Pillow refuses above twice that; more would be slow, and finds nothing else."""


def resealed(data: bytes) -> bytes:
    """The same bytes with magic, version, model and every checksum made right, as far as they can be read as a file."""
    file = bytearray(MAGIC + b"\1" + data[7:])
    try:
        position = 8
        for _ in range(3):
            start = position
            number, position = parse_varint(file, start)
        lossless = models.choose(inspecting.LOSSLESS)
        spec = lossless if number == lossless.number else models.choose(None)
        file[start:position] = bytes([spec.number])
        end = start + 1 + 8
        file[start + 1 : start + 5] = spec.hash
        crc16 = binascii.crc_hqx(file[: end - 2], 0xFFFF)
        file[end - 2 : end] = crc16.to_bytes(2, "little")
        tiles = 0
        while end < len(file):
            length, start = parse_varint(file, end + 1)
            tiles += file[end] == TILE
            if file[end] == PREVIEW:
                file[start + 1 : start + length] = resealed(bytes(file[start + 1 : start + length]))
            seal = crc16 | (tiles << 16 if file[end] == TILE else 0)
            crc32 = zlib.crc32(file[end : start + length], seal & 0xFFFFFFFF)
            end = start + length + 4
            if end <= len(file):
                file[end - 4 : end] = crc32.to_bytes(4, "little")
    except LicError:
        pass
    return bytes(file)


def parse(data: bytes) -> bool:
    """Parse in every way and tell whether the file was accepted; AssertionError when the ways disagree."""
    front = lenient = None
    with contextlib.suppress(LicError, NotLicError):
        front = container.read_front(io.BytesIO(data))
    with contextlib.suppress(LicError, NotLicError):
        lenient = container.unpack(data, strict=False)
    try:
        whole = container.unpack(data)
    except (LicError, NotLicError):
        return False
    assert front is not None
    assert lenient == whole
    assert (front.header, front.metadata, front.trailing) == (whole.header, whole.metadata, whole.trailing)
    assert not front.truncated
    assert len(whole.tiles) == whole.header.tile_count
    tiles = [bytes(tile) for tile in whole.tiles if tile is not None]
    again = container.pack(
        whole.header, tiles, metadata=whole.metadata, importance=whole.importance, alpha=whole.alpha, exact=whole.exact
    )
    known = container.unpack(again)
    assert (known.header, known.tiles) == (whole.header, whole.tiles)
    assert (known.importance, known.alpha, known.exact) == (whole.importance, whole.alpha, whole.exact)
    with contextlib.suppress(LicError):
        inspecting.verify(data)
    return True


def open_picture(data: bytes) -> bool:
    """Open, verify and load through Pillow, strictly and not, and tell whether any of it gave a picture."""
    loaded = [_load(data, truncated=truncated) for truncated in (False, True)]
    loaded.append(_load(data, truncated=False, is_draft=True))
    with _lax():
        loaded.append(_load(data, truncated=False))
    return any(loaded)


def seeds() -> Iterator[bytes]:
    """Files of every kind, each below 1 KB where it can be."""
    shapes = [("L", 1, 1), ("LA", 5, 20), ("RGB", 16, 16), ("RGBA", 20, 33), ("RGB", 2, 300)]
    for mode, height, width in shapes:
        size = height * width * len(mode)
        pixels = bytes(40 + 170 * x // size for x in range(size))
        im = Image.frombytes(mode, (width, height), pixels)
        yield pillow_lic.encode(im, quality=2, xmp="<x/>")
        yield pillow_lic.encode(im, lossless=True)
        yield pillow_lic.encode(im, quality=2, preview=True)
        if len(mode) > 2:
            data = pillow_lic.encode(im, quality=9, roi=[(0, 0, 1, 1)], exif=b"MM\0*\0\0\0\x08\0\0\0\0\0\0")
            yield data
            yield pillow_lic.encode(im, quality=2, exact=(0, 0, 1, 1))
            parts = container.unpack(data)
            tile = bytes(parts.tiles[0] or b"")
            header = parts.header.__class__(mode, 300, 3, 128, parts.header.model_id, parts.header.model_hash, 800)
            yield container.pack(header, [tile] * 3, alpha=b"\1\x40" if header.has_alpha else None)


def _load(data: bytes, *, truncated: bool, is_draft: bool = False) -> bool:
    with (
        warnings.catch_warnings(),
        mock.patch.object(ImageFile, "LOAD_TRUNCATED_IMAGES", truncated),
        mock.patch.object(Image, "MAX_IMAGE_PIXELS", MAX_PIXELS),
        pillow_lic.settings(threads=1),
    ):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with Image.open(io.BytesIO(data), formats=["LIC"]) as im:
                if is_draft:
                    im.draft(None, (1, 1))
                im.load()
                assert len(im.tobytes()) == im.width * im.height * CHANNELS[im.mode]
        except LicRuntimeError:
            raise
        except (OSError, Image.DecompressionBombError) as error:
            if not str(error):
                msg = f"a {type(error).__name__} without a sentence"
                raise AssertionError(msg) from error
            return False
    return True


class _LaxDecoder(entropy.Decoder):
    """Reads on beyond the end of its stream, and asks nothing when it has read all symbols."""

    def __init__(self, tables, stream):
        super().__init__(tables, bytes(stream) + bytes(4096))

    def finish(self, *read):
        pass


@contextlib.contextmanager
def _lax() -> Iterator[None]:
    with mock.patch.object(entropy, "Decoder", _LaxDecoder):
        yield
