"""The sections of a file: tag, payload length, payload, CRC-32; and which may follow which. The standard library only.

FORMAT.md is the specification. Sections are checked before anything is allocated by a size that they claim.
"""

import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

from ..errors import LicDamagedError, LicLimitError, LicTruncatedError, LicUnsupportedError
from . import limits
from .header import Header
from .varint import parse_varint, write_varint

TILE: Final = 0x01
ALPHA: Final = 0x02
IMPORTANCE: Final = 0x03
EXACT: Final = 0x04
PREVIEW: Final = 0x84
ANCILLARY: Final = 0x80
METADATA: Final = {0x81: "icc_profile", 0x82: "exif", 0x83: "xmp"}

ORDER: Final = (*METADATA, PREVIEW, IMPORTANCE, ALPHA, EXACT, TILE)
NAMES: Final = {
    TILE: "tile",
    ALPHA: "alpha",
    IMPORTANCE: "importance",
    EXACT: "exact",
    0x81: "ICC",
    0x82: "EXIF",
    0x83: "XMP",
    PREVIEW: "preview",
}
LIMITS: Final = {
    TILE: limits.MAX_TILE_BYTES,
    ALPHA: limits.MAX_ALPHA_BYTES,
    IMPORTANCE: limits.MAX_IMPORTANCE_BYTES,
    EXACT: limits.MAX_EXACT_BYTES,
    PREVIEW: limits.MAX_PREVIEW_BYTES,
    **dict.fromkeys(METADATA, limits.MAX_METADATA_BYTES),
}
_MAX_FRAME: Final = 6
"""Bytes before the longest payload: tag and a varint of 5."""


class SectionRef(NamedTuple):
    """The place of a section: its payload is `length` bytes at `offset` of the file; its CRC-32 follows."""

    tag: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """Offset of the first byte after the section."""
        return self.offset + self.length + 4

    @property
    def name(self) -> str:
        """The name that messages and `lic info` give it."""
        return NAMES.get(self.tag, f"unknown 0x{self.tag:02x}")


class Rules:
    """The rules of what section may come next: the order, the counts, and the tags that this release knows."""

    def __init__(self, header: Header) -> None:
        self._needs_alpha = header.has_alpha
        self._takes_alpha = header.has_alpha
        self._tiles_left = header.tile_count
        self._others = 0
        self._rank = -1

    @property
    def complete(self) -> bool:
        """Whether the last tile was admitted."""
        return self._tiles_left == 0

    @property
    def expects_tile(self) -> bool:
        """Whether everything a tile must come after has been seen, so that a tile is what comes or is missing next."""
        return not self._needs_alpha

    def admit(self, ref: SectionRef) -> None:
        """Take the next section of the file, or raise the rule it breaks."""
        if ref.tag != TILE:
            self._others += 1
            if self._others > limits.MAX_OTHER_SECTIONS:
                msg = f"file has more than {limits.MAX_OTHER_SECTIONS} sections that are not tiles"
                raise LicLimitError(msg)
        if ref.tag not in ORDER:
            if ref.tag & ANCILLARY:
                return
            msg = f"file needs a section this release does not know (tag 0x{ref.tag:02x})"
            raise LicUnsupportedError(msg)
        rank = ORDER.index(ref.tag)
        if rank < self._rank or (rank == self._rank and ref.tag != TILE):
            msg = f"{ref.name} section occurs twice" if rank == self._rank else f"{ref.name} section comes too late"
            raise LicDamagedError(msg)
        if ref.tag == ALPHA:
            if not self._takes_alpha:
                msg = "file has an alpha section, but its mode has no alpha"
                raise LicDamagedError(msg)
            self._needs_alpha = False
        if ref.tag == TILE:
            if not self.expects_tile:
                msg = "file has no alpha section, but its mode has alpha"
                raise LicDamagedError(msg)
            self._tiles_left -= 1
        self._rank = rank


def frame(read: Callable[[int, int], bytes], position: int, size: int) -> SectionRef:
    """Return the section at `position`, which may reach over the end of the file (`need` tells)."""
    front = read(position, min(_MAX_FRAME, size - position)) if position < size else b""
    try:
        length, used = parse_varint(front, 1)
    except LicTruncatedError:
        msg = f"file ends after {size} bytes, before its last tile"
        raise LicTruncatedError(msg) from None
    ref = SectionRef(front[0], position + used, length)
    limit = LIMITS.get(ref.tag, limits.MAX_UNKNOWN_BYTES)
    if length > limit:
        msg = f"{ref.name} section claims {length} bytes, at most {limit} are legal"
        raise LicLimitError(msg)
    return ref


def need(ref: SectionRef, size: int) -> None:
    """Raise LicTruncatedError unless a file of `size` bytes has the whole section."""
    if ref.end > size:
        msg = f"file ends inside its {ref.name} section: {ref.end - size} bytes of it are missing"
        raise LicTruncatedError(msg)


def _checksum(section: bytes | memoryview, header: bytes, index: int) -> int:
    """Return the CRC-32 of a section without its last four bytes; a tile's depends on its raster `index`.

    It starts from the header's own checksum and the place, so that a tile does not pass at another place, nor a section
    behind another header. Within the limits a picture has fewer than 2**16 tiles.
    """
    number = 1 + index if section[0] == TILE else 0
    return zlib.crc32(section, int.from_bytes(header[-2:], "little") | number << 16)


def checked_payload(section: memoryview, ref: SectionRef, position: int, header: bytes, index: int) -> memoryview:
    """Return the payload of a section, given as all its bytes from `position` of the file on, if its CRC is right."""
    if _checksum(section[:-4], header, index) != int.from_bytes(section[-4:], "little"):
        which = f" (tile {index + 1} in raster order)" if ref.tag == TILE else ""
        msg = f"{ref.name} section is damaged: its checksum does not match{which}"
        raise LicDamagedError(msg)
    return section[ref.offset - position : -4]


def write_section(tag: int, payload: bytes | memoryview, header: bytes, index: int) -> bytes:
    """Return a section behind these header bytes; a tile's has its raster `index`. LicLimitError for a payload too long."""
    if len(payload) > LIMITS[tag]:
        msg = f"{NAMES[tag]} section of {len(payload)} bytes is over the limit of {LIMITS[tag]}"
        raise LicLimitError(msg)
    section = b"".join([bytes([tag]), write_varint(len(payload)), payload])
    return section + _checksum(section, header, index).to_bytes(4, "little")
