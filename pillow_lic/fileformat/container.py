"""Bytes to header and sections, and back; FORMAT.md is the specification.

    file     = header, section, section, ...
    header   = see `header`
    section  = see `sections`
    sections = [ICC] [EXIF] [XMP] [preview] [importance] [alpha] [exact] tile tile ...        and unknown ancillary ones anywhere between

This module knows no pixels and no networks, and imports only the standard library; families know what the payload of a tile holds. What
is wrong with a file is an error of `errors`, with one sentence.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, NamedTuple

from ..errors import LicDamagedError, LicError, LicTruncatedError
from .header import MAX_HEADER_BYTES, Header, parse_header, write_header
from .sections import (
    ALPHA,
    EXACT,
    IMPORTANCE,
    METADATA,
    NAMES,
    PREVIEW,
    TILE,
    Rules,
    SectionRef,
    checked_payload,
    frame,
    need,
    write_section,
)
from .source import read_at, size_from
from .varint import write_varint


class Front(NamedTuple):
    """The header and the sections of a file, found without reading its tiles.

    The file begins at `start` of the file object and has `size` bytes from there. beginning is the header as it stands there, its
    unused bit too. sections lists those that lie in it whole, in file order; truncated tells that it ends before its last tile
    does, and cut is the section that it ends in; trailing counts the bytes after the last tile.
    """

    start: int
    size: int
    header: Header
    beginning: bytes
    metadata: dict[str, bytes]
    sections: list[SectionRef]
    truncated: bool
    cut: SectionRef | None
    trailing: int


class CutPayload(bytes):
    """The beginning of the payload of a tile in which the file ends; no checksum vouches for it."""


class Container(NamedTuple):
    """A whole file taken apart; the payloads of tiles are views into the caller's bytes.

    After `unpack(..., strict=False)` a tile that was damaged or missing is None, and one in which the file ends a CutPayload.
    """

    header: Header
    metadata: dict[str, bytes]
    preview: bytes | None
    importance: bytes | None
    alpha: bytes | None
    exact: bytes | None
    tiles: list[memoryview | CutPayload | None]
    trailing: int


def read_front(fp: IO[bytes]) -> Front:
    """Read the header and the metadata of a seekable binary file, from its current position.

    The payloads of other sections are passed over unread: a file cut there opens, with `truncated` set. Raises
    NotLicError, or a LicError when the header or the metadata are cut or damaged or a section breaks a rule.
    """
    base = fp.tell()
    size = size_from(fp, base)

    def read(offset: int, length: int) -> bytes:
        return read_at(fp, base + offset, length)

    beginning = read(0, MAX_HEADER_BYTES)
    header, position = parse_header(beginning)
    beginning = beginning[:position]
    rules = Rules(header)
    metadata: dict[str, bytes] = {}
    sections: list[SectionRef] = []
    truncated, cut = False, None
    while not (rules.complete or truncated):
        try:
            ref = frame(read, position, size)
        except LicTruncatedError:
            truncated = True
            break
        if ref.tag in METADATA:
            need(ref, size)
            payload = checked_payload(memoryview(read(position, ref.end - position)), ref, position, beginning, 0)
            metadata[METADATA[ref.tag]] = bytes(payload)
        rules.admit(ref)
        truncated = ref.end > size
        placed = SectionRef(ref.tag, base + ref.offset, ref.length)
        if truncated:
            cut = placed
        else:
            sections.append(placed)
            position = ref.end
    return Front(base, size, header, beginning, metadata, sections, truncated, cut, 0 if truncated else size - position)


def refuse_another(fp: IO[bytes], front: Front) -> None:
    """Raise LicDamagedError unless the file still has the header that was read of it: it may be written over meanwhile.

    Checksums of sections begin with that of the header, so that those of another picture do not pass either.
    """
    if read_at(fp, front.start, len(front.beginning)) != front.beginning:
        msg = "the file is another one than when it was opened: its header has changed"
        raise LicDamagedError(msg)


def refuse_truncated(front: Front, *, strict: bool = True) -> None:
    """Raise LicTruncatedError for a file that ends before its last tile does; with strict=False, before its first one begins."""
    ends = [*front.sections[-1:], *([front.cut] if front.cut else [])]
    if not front.truncated or (not strict and any(ref.tag == TILE for ref in ends)):
        return
    if front.cut is not None:
        need(front.cut, front.start + front.size)
    msg = f"file ends after {front.size} bytes, before its last tile"
    raise LicTruncatedError(msg)


def read_section(fp: IO[bytes], front: Front, tag: int) -> bytes | None:
    """Read the payload of one section, other than a tile, of a file whose front was read; None when the file has none."""
    ref = next((ref for ref in front.sections if ref.tag == tag), None)
    return None if ref is None else _read(fp, front, ref, 0)


def check_sections(fp: IO[bytes], front: Front) -> None:
    """Read every section of a file whose front was read, one after another, and raise LicDamagedError unless all are intact."""
    tiles = 0
    for ref in front.sections:
        _read(fp, front, ref, tiles)
        tiles += ref.tag == TILE


class TilePayloads(Mapping[int, "bytes | CutPayload | None"]):
    """The payloads of the tiles of a file whose front was read, by raster index; each is read when it is asked for.

    Any thread may ask. A tile that is missing or damaged raises LicTruncatedError or LicDamagedError; with strict=False it is
    None, or a CutPayload where the file ends in it.
    """

    def __init__(self, fp: IO[bytes], front: Front, *, strict: bool = True) -> None:
        self._fp, self._front, self._strict = fp, front, strict
        self._refs = [ref for ref in front.sections if ref.tag == TILE]
        self._reading = threading.Lock()

    def __getitem__(self, index: int) -> bytes | CutPayload | None:
        with self._reading:
            return self._payload(index)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return self._front.header.tile_count

    def _payload(self, index: int) -> bytes | CutPayload | None:
        if index < len(self._refs):
            try:
                return _read(self._fp, self._front, self._refs[index], index)
            except (LicDamagedError, LicTruncatedError):
                if self._strict:
                    raise
                return None
        if self._strict:
            msg = f"file ends before tile {index + 1} of {len(self)}"
            raise LicTruncatedError(msg)
        cut = self._front.cut
        if index == len(self._refs) and cut is not None and cut.tag == TILE:
            return CutPayload(read_at(self._fp, cut.offset, cut.length))
        return None


class Beginnings(Mapping[int, CutPayload]):
    """The beginnings of the payloads of the tiles of a file, as many bytes of each as `most` bytes of the file allow.

    All that is not the payload of a tile counts in full, and the rest is shared by the lengths of the payloads. ValueError
    where nothing is left for them.
    """

    def __init__(self, fp: IO[bytes], front: Front, most: int) -> None:
        tiles = [ref for ref in [*front.sections, *([front.cut] if front.cut else [])] if ref.tag == TILE]
        coded = sum(ref.length for ref in tiles)
        other = max(ref.end for ref in tiles) - front.start - coded if tiles else front.size
        if most <= other or not tiles:
            msg = f"bytes must be more than the {other} that this file has beside its coded pixels, got {most}"
            raise ValueError(msg)
        self._fp, self._refs = fp, tiles
        self._lengths = [min(ref.length, (most - other) * ref.length // coded) if coded else 0 for ref in tiles]
        self._count, self._reading = front.header.tile_count, threading.Lock()

    def __getitem__(self, index: int) -> CutPayload:
        if index >= len(self._refs):
            return CutPayload()
        with self._reading:
            return CutPayload(read_at(self._fp, self._refs[index].offset, self._lengths[index]))

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._count))

    def __len__(self) -> int:
        return self._count


def _start_of(ref: SectionRef) -> int:
    """Return the offset of the first byte of a section."""
    return ref.offset - 1 - len(write_varint(ref.length))


def _read(fp: IO[bytes], front: Front, ref: SectionRef, index: int) -> bytes:
    """Read the payload of a section; a tile's depends on its raster `index`."""
    start = _start_of(ref)
    section = read_at(fp, start, ref.end - start)
    need(ref, start + len(section))
    return bytes(checked_payload(memoryview(section), ref, start, front.beginning, index))


def unpack(data: bytes | memoryview, *, strict: bool = True) -> Container:
    """Take a whole file apart, checking every rule and every CRC.

    strict=False lets tiles be damaged or missing (None in the list, a CutPayload where the file ends in one), from where
    the first one begins, and raises for all other damage as ever. The walk trusts a damaged tile's length only as far as
    the sections after it hold.
    """
    view = memoryview(data)
    header, position = parse_header(bytes(view[:MAX_HEADER_BYTES]))
    beginning = bytes(view[:position])
    rules = Rules(header)
    found: dict[int, bytes] = {}
    parts: list[memoryview | CutPayload | None] = []
    lenient = False
    try:
        while not rules.complete:
            ref = frame(lambda start, length: bytes(view[start : start + length]), position, len(view))
            lenient = lenient or (not strict and ref.tag == TILE and rules.expects_tile)
            if lenient and ref.tag == TILE and ref.end > len(view):
                parts.append(CutPayload(view[ref.offset : ref.offset + ref.length]))
            need(ref, len(view))
            payload: memoryview | None
            try:
                payload = checked_payload(view[position : ref.end], ref, position, beginning, len(parts))
            except LicDamagedError:
                if not lenient:
                    raise
                payload = None
            rules.admit(ref)
            if ref.tag == TILE:
                parts.append(payload)
            elif payload is not None and ref.tag in NAMES:
                found[ref.tag] = bytes(payload)
            position = ref.end
    except LicError:
        if not lenient:
            raise
    trailing = len(view) - position if rules.complete else 0
    parts += [None] * (header.tile_count - len(parts))
    metadata = {METADATA[tag]: found[tag] for tag in METADATA if tag in found}
    preview, importance, alpha, exact = (found.get(tag) for tag in (PREVIEW, IMPORTANCE, ALPHA, EXACT))
    return Container(header, metadata, preview, importance, alpha, exact, parts, trailing)


def with_tiles(fp: IO[bytes], front: Front, tiles: Sequence[bytes | memoryview]) -> bytes:
    """Return a whole file, whose front was read, with other payloads of its tiles, and nothing behind them."""
    header = front.beginning
    parts: list[bytes | memoryview] = [header]
    payloads = iter(enumerate(tiles))
    for ref in front.sections:
        if ref.tag == TILE:
            index, payload = next(payloads)
            parts.append(write_section(TILE, payload, header, index))
        else:
            parts.append(read_at(fp, _start_of(ref), ref.end - _start_of(ref)))
    return b"".join(parts)


def pack(
    header: Header,
    tiles: Sequence[bytes | memoryview],
    *,
    metadata: Mapping[str, bytes] | None = None,
    preview: bytes | None = None,
    importance: bytes | None = None,
    alpha: bytes | None = None,
    exact: bytes | None = None,
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
    others = {PREVIEW: preview, IMPORTANCE: importance, ALPHA: alpha, EXACT: exact}
    sections += [(tag, payload) for tag, payload in others.items() if payload is not None]
    written = [write_section(tag, payload, front, 0) for tag, payload in sections]
    written += [write_section(TILE, payload, front, index) for index, payload in enumerate(tiles)]
    return b"".join([front, *written])
