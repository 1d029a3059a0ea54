"""Bytes to header and sections, and back; FORMAT.md is the specification, this file its only reader and writer.

    file     = header, section, section, ...
    header   = see `header`
    section  = tag, payload length, payload, CRC-32
    sections = [ICC] [EXIF] [XMP] [importance] [alpha] tile tile ...        and unknown ancillary ones anywhere between

No pixel is touched and no network known here, only the standard library imported. Every refusal is one sentence of the
tree in `errors`, and is made from the bytes at hand before anything is allocated by a size they claim.
"""

import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from ..errors import LicDamagedError, LicError, LicLimitError, LicTruncatedError, LicUnsupportedError
from . import limits
from .header import MAGIC, MAX_HEADER_BYTES, Header, accepts, parse_header, parse_varint, write_header, write_varint

__all__ = [
    "MAGIC",
    "Container",
    "Front",
    "Header",
    "SectionRef",
    "TilePayload",
    "accepts",
    "pack",
    "pack_tile",
    "read_front",
    "read_section",
    "unpack",
    "unpack_tile",
    "verify",
]

LANES: Final = (1, 2, 4, 8)

TILE: Final = 0x01
ALPHA: Final = 0x02
IMPORTANCE: Final = 0x03
ANCILLARY: Final = 0x80
METADATA: Final = {0x81: "icc_profile", 0x82: "exif", 0x83: "xmp"}

_ORDER: Final = (*METADATA, IMPORTANCE, ALPHA, TILE)
_NAMES: Final = {TILE: "tile", ALPHA: "alpha", IMPORTANCE: "importance", 0x81: "ICC", 0x82: "EXIF", 0x83: "XMP"}
_LIMITS: Final = {
    TILE: limits.MAX_TILE_BYTES,
    ALPHA: limits.MAX_ALPHA_BYTES,
    IMPORTANCE: limits.MAX_IMPORTANCE_BYTES,
    **dict.fromkeys(METADATA, limits.MAX_METADATA_BYTES),
}
_MAX_FRAME: Final = 6
"""Bytes before the longest payload: tag and a varint of 5."""


@dataclass(frozen=True, slots=True)
class SectionRef:
    """Where a section lies: its payload is `length` bytes at `offset` of the file; its CRC-32 follows."""

    tag: int
    offset: int
    length: int

    @property
    def end(self) -> int:
        """Offset of the first byte after the section."""
        return self.offset + self.length + 4

    @property
    def name(self) -> str:
        """What messages and `lic info` call it."""
        return _NAMES.get(self.tag, f"unknown 0x{self.tag:02x}")


@dataclass(frozen=True, slots=True)
class Front:
    """What a look at the front of a file gives, without reading its tiles.

    sections lists those that lie in the file whole, in file order; truncated tells that the file ends before its last
    tile does, and cut is the section that it ends in; trailing counts the bytes after the last tile.
    """

    header: Header
    metadata: dict[str, bytes]
    sections: list[SectionRef]
    truncated: bool
    cut: SectionRef | None
    trailing: int


class CutPayload(bytes):
    """What a file that ends inside a tile has of its payload; no checksum vouches for it."""


@dataclass(frozen=True, slots=True)
class Container:
    """A whole file taken apart; the payloads of tiles are views into the caller's bytes.

    After `unpack(..., strict=False)` a tile that was damaged or missing is None, and one in which the file ends a CutPayload.
    """

    header: Header
    metadata: dict[str, bytes]
    importance: bytes | None
    alpha: bytes | None
    tiles: list[memoryview | CutPayload | None]
    trailing: int


@dataclass(frozen=True, slots=True)
class TilePayload:
    """A tile's payload taken apart: `lanes` in {1, 2, 4, 8}, `check` 0..65535, and the range coder's stream."""

    lanes: int
    check: int
    stream: memoryview


def read_front(fp: IO[bytes]) -> Front:
    """Read the header and the metadata of a seekable binary file, from its current position.

    The payloads of other sections are passed over unread: a file cut there opens, with `truncated` set. Raises
    NotLicError, or a LicError when the header or the metadata are cut or damaged or a section breaks a rule.
    """
    base = fp.tell()
    size = fp.seek(0, io.SEEK_END) - base

    def read(offset: int, length: int) -> bytes:
        fp.seek(base + offset)
        return fp.read(length)

    beginning = read(0, MAX_HEADER_BYTES)
    header, position = parse_header(beginning)
    beginning = beginning[:position]
    rules = _Rules(header)
    metadata: dict[str, bytes] = {}
    sections: list[SectionRef] = []
    truncated, cut = False, None
    while not (rules.complete or truncated):
        try:
            ref = _frame(read, position, size)
        except LicTruncatedError:
            truncated = True
            break
        if ref.tag in METADATA:
            _need(ref, size)
            payload = _payload(memoryview(read(position, ref.end - position)), ref, position, beginning, 0)
            metadata[METADATA[ref.tag]] = bytes(payload)
        rules.admit(ref)
        truncated = ref.end > size
        placed = SectionRef(ref.tag, base + ref.offset, ref.length)
        if truncated:
            cut = placed
        else:
            sections.append(placed)
            position = ref.end
    return Front(header, metadata, sections, truncated, cut, 0 if truncated else size - position)


def read_section(fp: IO[bytes], front: Front, tag: int, index: int = 0, *, strict: bool = True) -> bytes | None:
    """Read the payload of one section of a file whose front was read, and nothing else; a tile's by its raster index.

    None when the file has no such section. A tile that is missing or damaged raises LicTruncatedError or
    LicDamagedError; with strict=False it is None, or a CutPayload where the file ends in it.
    """
    refs = [ref for ref in front.sections if ref.tag == tag]
    if index >= len(refs):
        if tag == TILE and strict:
            msg = f"file ends before tile {index + 1} of {front.header.tile_count}"
            raise LicTruncatedError(msg)
        if tag == TILE and index == len(refs) and front.cut is not None and front.cut.tag == TILE:
            fp.seek(front.cut.offset)
            return CutPayload(fp.read(front.cut.length))
        return None
    ref = refs[index]
    start = ref.offset - 1 - len(write_varint(ref.length))
    fp.seek(start)
    section = fp.read(ref.end - start)
    try:
        _need(ref, start + len(section))
        return bytes(_payload(memoryview(section), ref, start, write_header(front.header), index))
    except (LicDamagedError, LicTruncatedError):
        if tag == TILE and not strict:
            return None
        raise


def unpack(data: bytes | memoryview, *, strict: bool = True) -> Container:
    """Take a whole file apart, checking every rule and every CRC.

    strict=False lets tiles be damaged or missing (None in the list, a CutPayload where the file ends in one), from where
    the first one begins, and raises for all other damage as ever. The walk trusts a damaged tile's length only as far as
    the sections after it hold.
    """
    view = memoryview(data)
    header, position = parse_header(bytes(view[:MAX_HEADER_BYTES]))
    beginning = bytes(view[:position])
    rules = _Rules(header)
    found: dict[int, bytes] = {}
    parts: list[memoryview | CutPayload | None] = []
    lenient = False
    try:
        while not rules.complete:
            ref = _frame(lambda start, length: bytes(view[start : start + length]), position, len(view))
            lenient = lenient or (not strict and ref.tag == TILE and rules.expects_tile)
            if lenient and ref.tag == TILE and ref.end > len(view):
                parts.append(CutPayload(view[ref.offset : ref.offset + ref.length]))
            _need(ref, len(view))
            payload: memoryview | None
            try:
                payload = _payload(view[position : ref.end], ref, position, beginning, len(parts))
            except LicDamagedError:
                if not lenient:
                    raise
                payload = None
            rules.admit(ref)
            if ref.tag == TILE:
                parts.append(payload)
            elif payload is not None and ref.tag in _NAMES:
                found[ref.tag] = bytes(payload)
            position = ref.end
    except LicError:
        if not lenient:
            raise
    trailing = len(view) - position if rules.complete else 0
    parts += [None] * (header.tile_count - len(parts))
    metadata = {METADATA[tag]: found[tag] for tag in METADATA if tag in found}
    return Container(header, metadata, found.get(IMPORTANCE), found.get(ALPHA), parts, trailing)


def verify(data: bytes | memoryview) -> None:
    """Check every rule, every CRC and every tile prefix of a whole file; raise what is wrong, return nothing."""
    for payload in unpack(data).tiles:
        if payload is not None:
            unpack_tile(payload)


def pack(
    header: Header,
    tiles: Sequence[bytes | memoryview],
    *,
    metadata: Mapping[str, bytes] | None = None,
    importance: bytes | None = None,
    alpha: bytes | None = None,
) -> bytes:
    """Put a file together.

    tiles are the payloads in raster order, exactly `header.tile_count` of them. metadata has the keys icc_profile, exif
    and xmp; empty values are left out. alpha is given exactly for the modes LA and RGBA. Raises LicLimitError for what
    the format has no room for, ValueError for what is not a file at all.
    """
    front = write_header(header)
    if len(tiles) != header.tile_count:
        msg = f"a picture of {header.tile_count} tiles needs as many payloads, got {len(tiles)}"
        raise ValueError(msg)
    if (alpha is not None) != header.has_alpha:
        msg = f"mode {header.mode} {'needs' if header.has_alpha else 'has no'} alpha payload"
        raise ValueError(msg)
    metadata = metadata or {}
    if unknown := metadata.keys() - set(METADATA.values()):
        msg = f"metadata keys are {', '.join(METADATA.values())}, got {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    sections = [(tag, metadata[key]) for tag, key in METADATA.items() if metadata.get(key)]
    if importance is not None:
        sections.append((IMPORTANCE, importance))
    if alpha is not None:
        sections.append((ALPHA, alpha))
    written = [_write_section(tag, payload, front, 0) for tag, payload in sections]
    written += [_write_section(TILE, payload, front, index) for index, payload in enumerate(tiles)]
    return b"".join([front, *written])


def pack_tile(lanes: int, check: int, stream: bytes) -> bytes:
    """Put a tile's payload together: `lanes` in {1, 2, 4, 8}, `check` 0..65535."""
    if lanes not in LANES:
        msg = f"lanes must be 1, 2, 4 or 8, got {lanes}"
        raise ValueError(msg)
    return bytes([LANES.index(lanes)]) + check.to_bytes(2, "little") + stream


def unpack_tile(payload: bytes | memoryview) -> TilePayload:
    """Take a tile's payload apart; the stream is a view into it. Raises LicUnsupportedError or LicDamagedError."""
    view = memoryview(payload)
    if len(view) and view[0] > 3:
        msg = f"tile has reserved bits set (first byte 0x{view[0]:02x}): written by a later release"
        raise LicUnsupportedError(msg)
    lanes = LANES[view[0]] if len(view) else 1
    if len(view) < 3 + 4 * lanes:
        msg = f"tile payload must have at least {3 + 4 * lanes} bytes for {lanes} lanes, got {len(view)}"
        raise LicDamagedError(msg)
    return TilePayload(lanes, int.from_bytes(view[1:3], "little"), view[3:])


class _Rules:
    """Which section may come next: the order, the counts, and what this release knows."""

    def __init__(self, header: Header) -> None:
        self._has_alpha = header.has_alpha
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
        return not self._has_alpha or self._rank >= _ORDER.index(ALPHA)

    def admit(self, ref: SectionRef) -> None:
        """Take the next section of the file, or raise the rule it breaks."""
        if ref.tag != TILE:
            self._others += 1
            if self._others > limits.MAX_OTHER_SECTIONS:
                msg = f"file has more than {limits.MAX_OTHER_SECTIONS} sections that are not tiles"
                raise LicLimitError(msg)
        if ref.tag not in _ORDER:
            if ref.tag & ANCILLARY:
                return
            msg = f"file needs a section this release does not know (tag 0x{ref.tag:02x})"
            raise LicUnsupportedError(msg)
        rank = _ORDER.index(ref.tag)
        if rank < self._rank or (rank == self._rank and ref.tag != TILE):
            msg = f"{ref.name} section occurs twice" if rank == self._rank else f"{ref.name} section comes too late"
            raise LicDamagedError(msg)
        if ref.tag == ALPHA and not self._has_alpha:
            msg = "file has an alpha section, but its mode has no alpha"
            raise LicDamagedError(msg)
        if ref.tag == TILE:
            if not self.expects_tile:
                msg = "file has no alpha section, but its mode has alpha"
                raise LicDamagedError(msg)
            self._tiles_left -= 1
        self._rank = rank


def _frame(read: Callable[[int, int], bytes], position: int, size: int) -> SectionRef:
    """Return the section at `position`, which may reach over the end of the file (`_need` tells)."""
    frame = read(position, min(_MAX_FRAME, size - position)) if position < size else b""
    try:
        length, used = parse_varint(frame, 1)
    except LicTruncatedError:
        msg = f"file ends after {size} bytes, before its last tile"
        raise LicTruncatedError(msg) from None
    ref = SectionRef(frame[0], position + used, length)
    limit = _LIMITS.get(ref.tag, limits.MAX_UNKNOWN_BYTES)
    if length > limit:
        msg = f"{ref.name} section claims {length} bytes, at most {limit} are legal"
        raise LicLimitError(msg)
    return ref


def _need(ref: SectionRef, size: int) -> None:
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


def _payload(section: memoryview, ref: SectionRef, position: int, header: bytes, index: int) -> memoryview:
    """Return the payload of a section, given as all its bytes from `position` of the file on, if its CRC is right."""
    if _checksum(section[:-4], header, index) != int.from_bytes(section[-4:], "little"):
        which = f" (tile {index + 1} in raster order)" if ref.tag == TILE else ""
        msg = f"{ref.name} section is damaged: its checksum does not match{which}"
        raise LicDamagedError(msg)
    return section[ref.offset - position : -4]


def _write_section(tag: int, payload: bytes | memoryview, header: bytes, index: int) -> bytes:
    if len(payload) > _LIMITS[tag]:
        msg = f"{_NAMES[tag]} section of {len(payload)} bytes is over the limit of {_LIMITS[tag]}"
        raise LicLimitError(msg)
    section = b"".join([bytes([tag]), write_varint(len(payload)), payload])
    return section + _checksum(section, header, index).to_bytes(4, "little")
