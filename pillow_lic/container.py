"""Bytes to header and sections, and back; FORMAT.md is the specification, this file its only reader and writer.

    file     = header, section, section, ...
    header   = magic, version, picture byte, width, height, model id, model hash, level, CRC-16
    section  = tag, payload length, payload, CRC-32
    sections = [ICC] [EXIF] [XMP] [importance] [alpha] tile tile ...        and unknown ancillary ones anywhere between

No pixel is touched and no network known here, only the standard library imported. Every refusal is one sentence of the
tree in `errors`, and is made from the bytes at hand before anything is allocated by a size they claim.
"""

import binascii
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from . import limits, tiles
from .errors import LicDamagedError, LicError, LicLimitError, LicTruncatedError, LicUnsupportedError, NotLicError

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
    "unpack",
    "unpack_tile",
    "verify",
]

MAGIC: Final = b"\x8aLIC\r\n"
"""High bit set (not ASCII, not UTF-8); the line end shows a transfer in text mode."""

VERSION: Final = 1
MODES: Final = ("L", "LA", "RGB", "RGBA")
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
_MAX_HEADER: Final = 31
"""Bytes of the longest header: 8 fixed, three varints of 5, hash 4, level 2, CRC 2."""
_MAX_FRAME: Final = 6
"""Bytes before the longest payload: tag and a varint of 5."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about its picture before any section.

    mode is one of L, LA, RGB, RGBA; width and height are in pixels; tile_edge is 0 (one tile) or a power of two in
    128..8192; model_id >= 1 and model_hash (4 bytes) name the networks; level is 0..1024.
    """

    mode: str
    width: int
    height: int
    tile_edge: int
    model_id: int
    model_hash: bytes
    level: int
    version: int = VERSION

    @property
    def quality(self) -> float:
        """The level on the user's scale, 1.0 to 10.0."""
        return 1 + 9 * self.level / limits.MAX_LEVEL

    @property
    def tile_count(self) -> int:
        """Number of tile sections the file has, >= 1."""
        return tiles.count(self.width, self.height, self.tile_edge)

    @property
    def has_alpha(self) -> bool:
        """Whether the file has an alpha section."""
        return self.mode.endswith("A")


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
    tile does; trailing counts the bytes after the last tile.
    """

    header: Header
    metadata: dict[str, bytes]
    sections: list[SectionRef]
    truncated: bool
    trailing: int


@dataclass(frozen=True, slots=True)
class Container:
    """A whole file taken apart; the payloads of tiles are views into the caller's bytes.

    A tile is None only after `unpack(..., strict=False)`: it was damaged or missing.
    """

    header: Header
    metadata: dict[str, bytes]
    importance: bytes | None
    alpha: bytes | None
    tiles: list[memoryview | None]
    trailing: int


@dataclass(frozen=True, slots=True)
class TilePayload:
    """A tile's payload taken apart: `lanes` in {1, 2, 4, 8}, `check` 0..65535, and the range coder's stream."""

    lanes: int
    check: int
    stream: memoryview


def accepts(prefix: bytes) -> bool:
    """Tell from the first bytes (4 are enough) whether a file is ours.

    The line end after them is not asked, so that a file broken by a transfer in text mode is refused with that reason.
    """
    return prefix[:4] == MAGIC[:4]


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

    header, position = _parse_header(read(0, _MAX_HEADER))
    rules = _Rules(header)
    metadata: dict[str, bytes] = {}
    sections: list[SectionRef] = []
    truncated = False
    while not (rules.complete or truncated):
        try:
            ref = _frame(read, position, size)
        except LicTruncatedError:
            truncated = True
            break
        if ref.tag in METADATA:
            _need(ref, size)
            payload = _payload(memoryview(read(position, ref.end - position)), ref, position)
            metadata[METADATA[ref.tag]] = bytes(payload)
        rules.admit(ref)
        truncated = ref.end > size
        if not truncated:
            sections.append(SectionRef(ref.tag, base + ref.offset, ref.length))
            position = ref.end
    return Front(header, metadata, sections, truncated, 0 if truncated else size - position)


def unpack(data: bytes | memoryview, *, strict: bool = True) -> Container:
    """Take a whole file apart, checking every rule and every CRC.

    strict=False lets tiles be damaged or missing (None in the list), from where the first one begins, and raises for all
    other damage as ever. The walk trusts a damaged tile's length only as far as the sections after it hold.
    """
    view = memoryview(data)
    header, position = _parse_header(bytes(view[:_MAX_HEADER]))
    rules = _Rules(header)
    found: dict[int, bytes] = {}
    parts: list[memoryview | None] = []
    lenient = False
    try:
        while not rules.complete:
            ref = _frame(lambda start, length: bytes(view[start : start + length]), position, len(view))
            lenient = lenient or (not strict and ref.tag == TILE and rules.expects_tile)
            _need(ref, len(view))
            payload: memoryview | None
            try:
                payload = _payload(view[position : ref.end], ref, position)
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
    tiles: Sequence[bytes],
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
    front = _write_header(header)
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
    sections = [_write_section(tag, metadata[key]) for tag, key in METADATA.items() if metadata.get(key)]
    if importance is not None:
        sections.append(_write_section(IMPORTANCE, importance))
    if alpha is not None:
        sections.append(_write_section(ALPHA, alpha))
    return b"".join([front, *sections, *(_write_section(TILE, payload) for payload in tiles)])


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
        length, used = _parse_varint(frame, 1)
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


def _payload(section: memoryview, ref: SectionRef, position: int) -> memoryview:
    """Return the payload of a section, given as all its bytes from `position` of the file on, if its CRC is right."""
    if zlib.crc32(section[:-4]) != int.from_bytes(section[-4:], "little"):
        msg = f"{ref.name} section is damaged: its checksum does not match"
        raise LicDamagedError(msg)
    return section[ref.offset - position : -4]


def _parse_header(front: bytes) -> tuple[Header, int]:
    """Return the header and its length in bytes; `front` is the first 31 bytes of the file, or all of them."""
    if not accepts(front):
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
    width, position = _parse_varint(front, 8)
    height, position = _parse_varint(front, position)
    model_id, position = _parse_varint(front, position)
    end = position + 8
    if len(front) < end:
        _raise_short(front)
    if binascii.crc_hqx(front[: end - 2], 0xFFFF) != int.from_bytes(front[end - 2 : end], "little"):
        msg = "header is damaged: its checksum does not match"
        raise LicDamagedError(msg)
    if front[7] & 0xC0:
        msg = f"header has reserved bits set (picture byte 0x{front[7]:02x}): written by a later release"
        raise LicUnsupportedError(msg)
    exponent = front[7] >> 2 & 7
    header = Header(
        mode=MODES[front[7] & 3],
        width=width,
        height=height,
        tile_edge=64 << exponent if exponent else 0,
        model_id=model_id,
        model_hash=front[position : position + 4],
        level=int.from_bytes(front[position + 4 : position + 6], "little"),
    )
    _check_header(header)
    return header, end


def _write_header(header: Header) -> bytes:
    if header.mode not in MODES:
        msg = f"mode must be one of {', '.join(MODES)}, got {header.mode}"
        raise ValueError(msg)
    if header.version != VERSION:
        msg = f"version must be {VERSION}, got {header.version}"
        raise ValueError(msg)
    if len(header.model_hash) != 4:
        msg = f"model hash must have 4 bytes, got {len(header.model_hash)}"
        raise ValueError(msg)
    _check_header(header)
    exponent = (header.tile_edge // 64).bit_length() - 1 if header.tile_edge else 0
    front = b"".join(
        [
            MAGIC,
            bytes([VERSION, MODES.index(header.mode) | exponent << 2]),
            _write_varint(header.width),
            _write_varint(header.height),
            _write_varint(header.model_id),
            header.model_hash,
            header.level.to_bytes(2, "little"),
        ]
    )
    return front + binascii.crc_hqx(front, 0xFFFF).to_bytes(2, "little")


def _check_header(header: Header) -> None:
    """Raise for the ranges of the numbers: LicLimitError when there is too much, LicDamagedError or ValueError else."""
    if header.width < 1 or header.height < 1:
        msg = f"picture must have at least one pixel, file says {header.width}x{header.height}"
        raise LicDamagedError(msg)
    if max(header.width, header.height) > limits.MAX_SIDE or header.width * header.height > limits.MAX_PIXELS:
        msg = (
            f"picture of {header.width}x{header.height} pixels is over the limit of {limits.MAX_SIDE} a side "
            f"and {limits.MAX_PIXELS} in all"
        )
        raise LicLimitError(msg)
    area = tiles.largest_tile_pixels(header.width, header.height, header.tile_edge)
    if area > limits.MAX_TILE_PIXELS:
        msg = f"tile of {area} pixels (padded to 64) is over the limit of {limits.MAX_TILE_PIXELS}"
        raise LicLimitError(msg)
    if not 1 <= header.model_id <= limits.MAX_MODEL_ID:
        msg = f"model id must be 1-{limits.MAX_MODEL_ID}, file says {header.model_id}"
        raise LicDamagedError(msg)
    if not 0 <= header.level <= limits.MAX_LEVEL:
        msg = f"level must be 0-{limits.MAX_LEVEL}, file says {header.level}"
        raise LicDamagedError(msg)


def _raise_short(front: bytes) -> None:
    msg = f"file ends after {len(front)} bytes, inside its header"
    raise LicTruncatedError(msg)


def _write_section(tag: int, payload: bytes) -> bytes:
    if len(payload) > _LIMITS[tag]:
        msg = f"{_NAMES[tag]} section of {len(payload)} bytes is over the limit of {_LIMITS[tag]}"
        raise LicLimitError(msg)
    section = bytes([tag]) + _write_varint(len(payload)) + payload
    return section + zlib.crc32(section).to_bytes(4, "little")


def _parse_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number of at most 5 bytes and the position after it."""
    value = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            msg = f"file ends after {len(data)} bytes, inside a number"
            raise LicTruncatedError(msg)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    if byte >= 0x80 or value > limits.MAX_VARINT or (byte == 0 and shift):
        msg = "number is not written in its shortest form of at most 5 bytes"
        raise LicDamagedError(msg)
    return value, position


def _write_varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
