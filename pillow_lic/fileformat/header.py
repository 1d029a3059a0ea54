"""The header of a file: size, mode, model and level of its picture.

FORMAT.md is the specification. The standard library only; its fields are checked before anything is allocated by them.
"""

import binascii
from dataclasses import dataclass
from typing import Final

from ..errors import LicDamagedError, LicLimitError, LicTruncatedError, LicUnsupportedError, NotLicError
from . import limits
from .identity import MAGIC, accept
from .levels import level_to_quality
from .tiling import Tiling
from .varint import parse_varint, write_varint

__all__ = [
    "CHANNELS",
    "MAX_HEADER_BYTES",
    "VERSION",
    "Header",
    "parse_header",
    "write_header",
]

VERSION: Final = 1
CHANNELS: Final = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
"""Stored modes in the order of their codes, and the channels of each."""

_MODES: Final = tuple(CHANNELS)
_GREY: Final = 0x40
"""Bit of the picture byte: the three channels are equal."""

MAX_HEADER_BYTES: Final = 31
"""Bytes of the longest header: 8 fixed, three varints of 5, hash 4, level 2, CRC 2."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header.

    mode is one of L, LA, RGB, RGBA; width and height are in pixels; tile_edge is 0 (one tile) or a power of two in
    128..8192; model_id >= 1 and model_hash (4 bytes) name the networks; level is 0..1024; is_grey says of a picture of RGB or
    RGBA that the three channels are equal.
    """

    mode: str
    width: int
    height: int
    tile_edge: int
    model_id: int
    model_hash: bytes
    level: int
    version: int = VERSION
    is_grey: bool = False

    @property
    def quality(self) -> float:
        """The level on the user's scale, 1.0 to 10.0."""
        return level_to_quality(self.level)

    @property
    def tiling(self) -> Tiling:
        """The tiles of the picture."""
        return Tiling(self.width, self.height, self.tile_edge)

    @property
    def tile_count(self) -> int:
        """Number of tile sections the file has, >= 1."""
        return self.tiling.count

    @property
    def has_alpha(self) -> bool:
        """Whether the file has an alpha section."""
        return self.mode.endswith("A")


def parse_header(front: bytes) -> tuple[Header, int]:
    """Return the header and its length in bytes; `front` is the first 31 bytes of the file, or all of them."""
    if not accept(front):
        msg = "not a .lic file"
        raise NotLicError(msg)
    if len(front) < 8:
        _raise_short(front)
    if not front.startswith(MAGIC):
        msg = "the line end in the file's magic was altered: it went through a transfer in text mode"
        raise LicDamagedError(msg)
    # A later version may lay out everything after this byte anew, so it comes before the checksum.
    if front[6] != VERSION:
        msg = f"file is of format version {front[6]}, this release reads version {VERSION}"
        raise LicUnsupportedError(msg)
    width, position = parse_varint(front, 8)
    height, position = parse_varint(front, position)
    model_id, position = parse_varint(front, position)
    end = position + 8
    if len(front) < end:
        _raise_short(front)
    if binascii.crc_hqx(front[: end - 2], 0xFFFF) != int.from_bytes(front[end - 2 : end], "little"):
        msg = "header is damaged: its checksum does not match"
        raise LicDamagedError(msg)
    if front[7] & 0x80:
        msg = f"header has reserved bits set (picture byte 0x{front[7]:02x}): written by a later release"
        raise LicUnsupportedError(msg)
    exponent = front[7] >> 2 & 7
    header = Header(
        mode=_MODES[front[7] & 3],
        width=width,
        height=height,
        tile_edge=64 << exponent if exponent else 0,
        model_id=model_id,
        model_hash=front[position : position + 4],
        level=int.from_bytes(front[position + 4 : position + 6], "little"),
        is_grey=bool(front[7] & _GREY),
    )
    _check_header(header, LicDamagedError)
    return header, end


def write_header(header: Header) -> bytes:
    """Return the bytes of a header; LicLimitError for more than the format allows, ValueError for what is no header."""
    if header.mode not in CHANNELS:
        msg = f"mode must be one of {', '.join(CHANNELS)}, got {header.mode}"
        raise ValueError(msg)
    if header.version != VERSION:
        msg = f"version must be {VERSION}, got {header.version}"
        raise ValueError(msg)
    if len(header.model_hash) != 4:
        msg = f"model hash must have 4 bytes, got {len(header.model_hash)}"
        raise ValueError(msg)
    _check_header(header, ValueError)
    exponent = (header.tile_edge // 64).bit_length() - 1 if header.tile_edge else 0
    front = b"".join(
        [
            MAGIC,
            bytes([VERSION, _MODES.index(header.mode) | exponent << 2 | _GREY * header.is_grey]),
            write_varint(header.width),
            write_varint(header.height),
            write_varint(header.model_id),
            header.model_hash,
            header.level.to_bytes(2, "little"),
        ]
    )
    return front + binascii.crc_hqx(front, 0xFFFF).to_bytes(2, "little")


def _check_header(header: Header, wrong: type[Exception]) -> None:
    """Check the ranges of the numbers: LicLimitError when there is too much, `wrong` else."""
    if header.is_grey and header.mode not in ("RGB", "RGBA"):
        msg = f"only colours can be marked as equal channels, mode is {header.mode}"
        raise wrong(msg)
    if header.width < 1 or header.height < 1:
        msg = f"picture must have at least one pixel, got {header.width}x{header.height}"
        raise wrong(msg)
    if max(header.width, header.height) > limits.MAX_SIDE or header.width * header.height > limits.MAX_PIXELS:
        msg = (
            f"picture of {header.width}x{header.height} pixels is over the limit of {limits.MAX_SIDE} a side "
            f"and {limits.MAX_PIXELS} in all"
        )
        raise LicLimitError(msg)
    Tiling(header.width, header.height, header.tile_edge)  # ValueError for an edge that is none
    if not 1 <= header.model_id <= limits.MAX_MODEL_ID:
        msg = f"model id must be 1-{limits.MAX_MODEL_ID}, got {header.model_id}"
        raise wrong(msg)
    if not 0 <= header.level <= limits.MAX_LEVEL:
        msg = f"level must be 0-{limits.MAX_LEVEL}, got {header.level}"
        raise wrong(msg)


def _raise_short(front: bytes) -> None:
    msg = f"file ends after {len(front)} bytes, inside its header"
    raise LicTruncatedError(msg)
