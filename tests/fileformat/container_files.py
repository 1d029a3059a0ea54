"""Container files for tests: good ones of every shape, any bytes put together with right checksums, and what each rule refuses."""

import binascii
import zlib
from dataclasses import replace

import pytest
from made.tiled import stream_of

from pillow_lic.errors import (
    LicDamagedError,
    LicLimitError,
    LicTruncatedError,
    LicUnsupportedError,
    NotLicError,
)
from pillow_lic.fileformat import container
from pillow_lic.fileformat.container import Container, pack
from pillow_lic.fileformat.header import Header
from pillow_lic.fileformat.identity import MAGIC
from pillow_lic.fileformat.varint import write_varint

PLAIN = Header("RGB", 48, 31, 0, 1, b"\x01\x02\x03\x04", 569)
ALPHA = replace(PLAIN, mode="RGBA", level=1024)
TILED = replace(PLAIN, mode="L", width=300, height=129, tile_edge=128, model_id=300, level=0)
METADATA = {"icc_profile": b"profile", "exif": b"Exif\0\0", "xmp": b"<x/>"}


def tile(number: int, size: int = 9) -> bytes:
    return stream_of(1, 1000 + number, bytes((number * 7 + i) % 256 for i in range(size)))


FILES = {
    "plain": pack(PLAIN, [tile(0)]),
    "full": pack(ALPHA, [tile(0)], metadata=METADATA, importance=b"map", alpha=b"\0alpha"),
    "tiled": pack(TILED, [tile(i) for i in range(6)], metadata={"xmp": b"<x/>"}),
}
EVERY = pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())


def seal(header: bytes, sections: list[tuple[int, int, bytes]], trailing: bytes = b"") -> bytes:
    """Put a file of any bytes together with right checksums; a section is (tag, claimed length, payload)."""
    crc16, tiles = binascii.crc_hqx(header, 0xFFFF), 0
    parts = [header, crc16.to_bytes(2, "little")]
    for tag, length, payload in sections:
        section = bytes([tag]) + write_varint(length) + payload
        tiles += tag == 1
        parts += [section, zlib.crc32(section, crc16 | (tiles << 16 if tag == 1 else 0)).to_bytes(4, "little")]
    return b"".join(parts) + trailing


def header_bytes(header: Header) -> bytes:
    return container.write_header(header)[:-2]


def raw_header(width: int, height: int, *, picture: int = 2, model: int = 1, level: int = 0) -> bytes:
    numbers = write_varint(width) + write_varint(height) + write_varint(model)
    return MAGIC + bytes([1, picture]) + numbers + b"hash" + level.to_bytes(2, "little")


def section(tag: int, payload: bytes) -> tuple[int, int, bytes]:
    return tag, len(payload), payload


TILE = section(1, tile(0))


def parts_of(parsed: Container) -> list[bytes | None]:
    return [None if part is None else bytes(part) for part in parsed.tiles]


# Refusals, each with its reason

REFUSALS: dict[str, tuple[bytes, type[Exception], str]] = {
    "empty": (b"", NotLicError, "not a .lic file"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(60), NotLicError, "not a .lic file"),
    "text mode": (FILES["plain"].replace(b"\r\n", b"\n", 1), LicDamagedError, "text mode"),
    "header only": (MAGIC + b"\1\2", LicTruncatedError, "inside"),
    "version": (MAGIC + b"\2" + FILES["plain"][7:], LicUnsupportedError, "version 2, this release reads version 1"),
    "header crc": (FILES["plain"][:8] + b"\x31" + FILES["plain"][9:], LicDamagedError, "header is damaged"),
    "reserved bit 7": (seal(raw_header(9, 9, picture=0x82), [TILE]), LicUnsupportedError, "reserved bits.*0x82"),
    "grey marked as colours": (
        seal(raw_header(9, 9, picture=0x40), [TILE]),
        LicDamagedError,
        "equal channels, mode is L",
    ),
    "no columns": (seal(raw_header(0, 9), [TILE]), LicDamagedError, "at least one pixel, got 0x9"),
    "no rows": (seal(raw_header(9, 0), [TILE]), LicDamagedError, "at least one pixel, got 9x0"),
    "too wide": (seal(raw_header(65536, 1), [TILE]), LicLimitError, "65536x1 pixels is over the limit of 65535"),
    "too high": (seal(raw_header(1, 65536), [TILE]), LicLimitError, "1x65536 pixels is over the limit of 65535"),
    "too many pixels": (seal(raw_header(65535, 65535), [TILE]), LicLimitError, "178956970 in all"),
    "no model": (seal(raw_header(9, 9, model=0), [TILE]), LicDamagedError, "model id must be 1-4294967295, got 0"),
    "level": (seal(raw_header(9, 9, level=1025), [TILE]), LicDamagedError, "level must be 0-1024, got 1025"),
    "long varint": (MAGIC + b"\1\2\x80\x80\x80\x80\x80\x01" + bytes(20), LicDamagedError, "shortest form"),
    "33-bit varint": (MAGIC + b"\1\2\xff\xff\xff\xff\x1f" + bytes(20), LicDamagedError, "shortest form"),
    "padded varint": (MAGIC + b"\1\2\x89\x00" + bytes(20), LicDamagedError, "shortest form"),
    "no sections": (seal(raw_header(9, 9), []), LicTruncatedError, "before its last tile"),
    "too few tiles": (
        seal(raw_header(200, 9, picture=0x06), [TILE]),
        LicTruncatedError,
        "before its last tile",
    ),
    "cut payload": (FILES["plain"][:-9], LicTruncatedError, "inside its tile section: 9 bytes"),
    "tile crc": (
        FILES["plain"][:-5] + b"!" + FILES["plain"][-4:],
        LicDamagedError,
        r"tile section is damaged: .* \(tile 1 in",
    ),
    "unknown critical": (seal(raw_header(9, 9), [section(5, b""), TILE]), LicUnsupportedError, "tag 0x05"),
    "twice": (seal(raw_header(9, 9), [section(0x82, b"a"), section(0x82, b"a"), TILE]), LicDamagedError, "EXIF.*twice"),
    "late": (seal(raw_header(9, 9), [section(3, b"a"), section(0x81, b"a"), TILE]), LicDamagedError, "ICC.*too late"),
    "alpha in RGB": (seal(raw_header(9, 9), [section(2, b"a"), TILE]), LicDamagedError, "its mode has no alpha"),
    "RGBA without": (seal(raw_header(9, 9, picture=3), [TILE]), LicDamagedError, "no alpha section"),
    "huge metadata": (seal(raw_header(9, 9), [(0x81, 2**26 + 1, b"")]), LicLimitError, "ICC section claims 67108865"),
    "huge importance": (seal(raw_header(9, 9), [(3, 2**20 + 1, b"")]), LicLimitError, "at most 1048576"),
    "huge alpha": (seal(raw_header(9, 9, picture=3), [(2, 2**28 + 1, b"")]), LicLimitError, "alpha section claims"),
    "huge tile": (seal(raw_header(9, 9), [(1, 2**32 - 1, b"")]), LicLimitError, "tile section claims 4294967295"),
    "huge unknown": (seal(raw_header(9, 9), [(0x90, 2**26 + 1, b"")]), LicLimitError, "unknown 0x90 section claims"),
    "crowd": (seal(raw_header(9, 9), [section(0x90, b"")] * 65 + [TILE]), LicLimitError, "more than 64 sections"),
}
