"""The container: round trips, and that every refusal has its reason."""

import binascii
import io
import itertools
import random
import time
import tracemalloc
import zlib
from dataclasses import replace

import pytest
from tiled import stream_of

from pillow_lic import inspection
from pillow_lic.engine import models
from pillow_lic.engine.entropy import parse_prefix
from pillow_lic.errors import (
    LicDamagedError,
    LicError,
    LicLimitError,
    LicTruncatedError,
    LicUnsupportedError,
    NotLicError,
)
from pillow_lic.fileformat import container, limits
from pillow_lic.fileformat.container import Container, CutPayload, pack, read_front, unpack
from pillow_lic.fileformat.header import Header
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.fileformat.varint import parse_varint, write_varint
from pillow_lic.naming import MAGIC
from pillow_lic.naming import accept as accepts

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


# Round trips


def test_full_file_comes_back() -> None:
    parsed = unpack(FILES["full"])
    assert parsed.header == ALPHA
    assert parsed.metadata == METADATA
    assert (parsed.importance, parsed.alpha) == (b"map", b"\0alpha")
    assert parts_of(parsed) == [tile(0)]
    assert parsed.trailing == 0


def test_tiles_come_back_in_order_as_views() -> None:
    parsed = unpack(memoryview(FILES["tiled"]))
    assert parsed.header == TILED
    assert parts_of(parsed) == [tile(i) for i in range(6)]
    assert all(isinstance(part, memoryview) for part in parsed.tiles)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("edge", [0, 128, 256, 512, 1024, 2048, 4096, 8192])
def test_every_mode_and_edge(mode: str, edge: int) -> None:
    header = Header(mode, 65535, 60, edge, 2**32 - 1, b"\0\xff\0\xff", 1024)
    data = pack(header, [tile(0)] * header.tile_count, alpha=b"a" if header.has_alpha else None)
    assert unpack(data).header == header


def test_a_plain_picture_costs_at_most_32_bytes() -> None:
    """The promise of FORMAT.md, for every picture up to 16383 a side with a stream below 2 MiB."""
    stream = bytes(30_000)
    assert len(pack(replace(PLAIN, width=768, height=512), [stream_of(1, 0, stream)])) - len(stream) == 32
    assert len(pack(replace(PLAIN, width=768, height=512, model_id=127), [stream_of(8, 0, stream)])) - len(stream) == 32


def test_quality_is_the_level_on_the_users_scale() -> None:
    assert replace(PLAIN, level=0).quality == 1
    assert replace(PLAIN, level=1024).quality == 10


def test_empty_metadata_is_left_out() -> None:
    assert pack(PLAIN, [tile(0)], metadata={"exif": b""}) == FILES["plain"]


def test_bytes_after_the_last_tile_are_ignored_and_counted() -> None:
    for data in FILES.values():
        parsed = unpack(data + b"more")
        assert parsed.trailing == 4
        assert parts_of(parsed) == parts_of(unpack(data))
        assert read_front(io.BytesIO(data + b"more")).trailing == 4


def test_unknown_ancillary_sections_are_ignored_anywhere() -> None:
    note = section(0x90, b"note")
    data = seal(header_bytes(PLAIN), [note, section(0x82, b"exif"), note, TILE])
    assert unpack(data).metadata == {"exif": b"exif"}
    assert read_front(io.BytesIO(data)).metadata == {"exif": b"exif"}


def test_the_unused_bit_is_ignored() -> None:
    assert unpack(seal(raw_header(48, 31, picture=0x22), [TILE])).header.mode == "RGB"


def test_tile_payload_comes_back() -> None:
    for lanes in (1, 2, 4, 8):
        prefix = parse_prefix(stream_of(lanes, 65535, bytes(range(32))))
        assert (prefix.lanes, prefix.check, bytes(prefix.coded)) == (lanes, 65535, bytes(range(32)))


@pytest.mark.parametrize("value", [0, 1, 127, 128, 16383, 16384, 65535, 2**28 - 1, 2**28, 2**32 - 1])
def test_varint_comes_back(value: int) -> None:
    written = write_varint(value)
    assert parse_varint(written + b"\xff", 0) == (value, len(written))


# The front


@EVERY
def test_front_agrees_with_unpack(data: bytes) -> None:
    front, whole = read_front(io.BytesIO(data)), unpack(data)
    assert (front.header, front.metadata) == (whole.header, whole.metadata)
    assert (front.truncated, front.trailing) == (False, 0)
    tiles = [data[ref.offset : ref.offset + ref.length] for ref in front.sections if ref.name == "tile"]
    assert tiles == parts_of(whole)


def test_front_starts_where_the_file_object_stands() -> None:
    fp = io.BytesIO(b"prefix" + FILES["tiled"])
    fp.seek(6)
    front = read_front(fp)
    last = front.sections[-1]
    assert fp.getvalue()[last.offset : last.offset + last.length] == tile(5)


def test_front_reads_no_payload_but_metadata() -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.count += len(data)
            return data

    fp = Counting(pack(PLAIN, [tile(0, 2**20)], metadata={"exif": b"e" * 1000}))
    assert read_front(fp).metadata == {"exif": b"e" * 1000}
    assert fp.count < 1200


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


@pytest.mark.parametrize(("data", "error", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal(data: bytes, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        unpack(data)
    with pytest.raises(error, match=reason):
        inspection.verify(data)


@pytest.mark.parametrize(
    ("width", "height", "edge", "pixels"), [(2048, 2049, 0, 4325376), (9000, 9000, 4096, 16777216)]
)
def test_tiles_larger_than_the_models_are_refused(width: int, height: int, edge: int, pixels: int) -> None:
    known = models.choose(None)
    header = Header("RGB", width, height, edge, known.number, known.hash, 0)
    with pytest.raises(LicLimitError, match=f"tile of {pixels} pixels .* of model {known.name}"):
        inspection.verify(pack(header, [tile(0)] * header.tile_count))


def test_a_file_of_an_unknown_model_is_verified_by_its_checksums() -> None:
    inspection.verify(FILES["plain"])
    with pytest.raises(LicDamagedError, match="tile section is damaged"):
        inspection.verify(REFUSALS["tile crc"][0])


def test_sixty_four_other_sections_are_legal() -> None:
    data = seal(raw_header(9, 9), [section(0x90, b"")] * 64 + [TILE])
    assert len(unpack(data).tiles) == 1


@pytest.mark.parametrize(
    ("payload", "error", "reason"),
    [
        (b"", LicDamagedError, "at least 7 bytes for 1 lanes, got 0"),
        (b"\3" + bytes(33), LicDamagedError, "at least 35 bytes for 8 lanes, got 34"),
        (b"\4" + bytes(40), LicUnsupportedError, "reserved bits"),
    ],
)
def test_tile_refusal(payload: bytes, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        parse_prefix(payload)
    known = models.choose(None)
    with pytest.raises(error, match=reason):
        inspection.verify(pack(replace(PLAIN, model_id=known.number, model_hash=known.hash), [payload]))


def test_accepts_is_decided_by_four_bytes() -> None:
    assert accepts(FILES["plain"][:16])
    assert accepts(MAGIC[:4])
    assert not accepts(MAGIC[:3])
    assert not accepts(b"\x8aLIB\r\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mode": "P"}, "mode must be one of L, LA, RGB, RGBA, got P"),
        ({"version": 2}, "version must be 1, got 2"),
        ({"model_hash": b"abc"}, "model hash must have 4 bytes, got 3"),
        ({"width": 0}, "at least one pixel"),
        ({"level": -1}, "level must be 0-1024, got -1"),
        ({"model_id": 2**32}, "model id"),
        ({"tile_edge": 64}, "tile edge must be 0 or a power of two in 128-8192, got 64"),
        ({"tile_edge": 384}, "tile edge"),
    ],
)
def test_pack_refuses_a_wrong_header(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        pack(replace(PLAIN, **change), [tile(0)])  # type: ignore[arg-type]


def test_pack_refuses_what_is_no_file() -> None:
    with pytest.raises(ValueError, match="6 tiles needs as many payloads, got 1"):
        pack(TILED, [tile(0)])
    with pytest.raises(ValueError, match="mode RGBA needs alpha"):
        pack(ALPHA, [tile(0)])
    with pytest.raises(ValueError, match="mode RGB has no alpha"):
        pack(PLAIN, [tile(0)], alpha=b"a")
    with pytest.raises(ValueError, match="icc_profile, exif, xmp, got comment"):
        pack(PLAIN, [tile(0)], metadata={"comment": b"hello"})
    with pytest.raises(LicLimitError, match="importance section of 1048577 bytes is over the limit of 1048576"):
        pack(PLAIN, [tile(0)], importance=bytes(2**20 + 1))
    with pytest.raises(LicLimitError, match="65536"):
        pack(replace(PLAIN, width=65536, height=1), [tile(0)])


# Cut, flipped, mutated


@EVERY
def test_every_truncation_is_noticed(data: bytes) -> None:
    for length in range(len(data)):
        error = NotLicError if length < 4 else LicTruncatedError
        with pytest.raises(error):
            unpack(data[:length])


@EVERY
def test_every_truncation_opens_as_far_as_it_goes(data: bytes) -> None:
    """The front and the lenient walk either refuse a cut file or give what is whole in it."""
    whole = parts_of(unpack(data))
    first_tile = read_front(io.BytesIO(data)).sections[-len(whole)].offset
    for length in range(len(data)):
        cut = data[:length]
        try:
            parsed = unpack(cut, strict=False)
        except (LicTruncatedError, NotLicError):
            assert length < first_tile
        else:
            found = parsed.tiles
            ended = [part for part in found if isinstance(part, CutPayload)]
            intact = [bytes(part) for part in found if part is not None and not isinstance(part, CutPayload)]
            assert intact == whole[: len(intact)]
            assert found[len(intact) :] == ended + [None] * (len(whole) - len(intact) - len(ended))
            assert all(whole[len(intact)].startswith(part) for part in ended)
            assert len(ended) <= 1
        try:
            front = read_front(io.BytesIO(cut))
        except (LicTruncatedError, NotLicError):
            assert length < first_tile
        else:
            assert front.truncated
            assert front.header == unpack(data).header


@EVERY
def test_every_flipped_bit_is_noticed(data: bytes) -> None:
    for position in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            with pytest.raises((LicError, NotLicError)):
                unpack(flipped)


def test_a_damaged_tile_is_lost_alone() -> None:
    data, refs = FILES["tiled"], read_front(io.BytesIO(FILES["tiled"])).sections
    for number, ref in enumerate(refs[1:]):
        damaged = bytearray(data)
        damaged[ref.offset + 3] ^= 1
        expected = [None if i == number else tile(i) for i in range(6)]
        assert parts_of(unpack(bytes(damaged), strict=False)) == expected


def sections_of(data: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and each section as all its bytes, of a file whose payloads have fewer than 128."""
    refs = read_front(io.BytesIO(data)).sections
    return data[: refs[0].offset - 2], [data[ref.offset - 2 : ref.end] for ref in refs]


def test_tiles_that_changed_places_are_damaged() -> None:
    front, (xmp, *tiles) = sections_of(FILES["tiled"])
    assert b"".join([front, xmp, *tiles]) == FILES["tiled"]
    for i, j in itertools.combinations(range(6), 2):
        moved = tiles.copy()
        moved[i], moved[j] = tiles[j], tiles[i]
        data = b"".join([front, xmp, *moved])
        with pytest.raises(LicDamagedError, match="tile section is damaged"):
            unpack(data)
        expected = [None if k in (i, j) else tile(k) for k in range(6)]
        assert parts_of(unpack(data, strict=False)) == expected


@pytest.mark.parametrize("change", [{"level": 1}, {"width": 301}, {"model_id": 301}, {"model_hash": b"abcd"}])
def test_a_section_behind_another_header_is_damaged(change: dict[str, object]) -> None:
    other = pack(replace(TILED, **change), [tile(i) for i in range(6)], metadata={"xmp": b"<x/>"})  # type: ignore[arg-type]
    front, (xmp, *tiles) = sections_of(FILES["tiled"])
    _, (foreign_xmp, *foreign) = sections_of(other)
    for k in range(6):
        data = b"".join([front, xmp, *tiles[:k], foreign[k], *tiles[k + 1 :]])
        with pytest.raises(LicDamagedError, match="tile section is damaged"):
            unpack(data)
        assert parts_of(unpack(data, strict=False)) == [None if i == k else tile(i) for i in range(6)]
    data = b"".join([front, foreign_xmp, *tiles])
    for parse in (unpack, lambda data: read_front(io.BytesIO(data))):
        with pytest.raises(LicDamagedError, match="XMP section is damaged"):
            parse(data)


def test_the_number_of_a_tile_fits_its_checksum() -> None:
    """So that no two tiles of a picture, of 128 pixels and as high as it may be, have the same number."""
    counts = [Tiling(width, min(limits.MAX_SIDE, limits.MAX_PIXELS // width), 128).count for width in range(1, 65536)]
    assert 10_000 < max(counts) < 2**16


def test_other_damage_is_never_lenient() -> None:
    for name, (data, error, _) in REFUSALS.items():
        if name not in {"too few tiles", "cut payload", "tile crc"}:
            with pytest.raises(error):
                unpack(data, strict=False)
    damaged = FILES["full"].replace(b"alpha", b"alphA")
    with pytest.raises(LicDamagedError, match="alpha section is damaged"):
        unpack(damaged, strict=False)


def mutate(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    result = bytearray(data)
    for _ in range(rng.randint(1, 16)):
        at, size = rng.randrange(len(result) + 1), rng.randint(1, 8)
        kind = rng.randrange(6)
        if kind == 0 and at < len(result):
            result[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(result):
            result[at] = rng.choice((0, 255, 127, 128, rng.randrange(256)))
        elif kind == 2:
            result[at:at] = rng.randbytes(size)
        elif kind == 3:
            del result[at : at + size]
        elif kind == 4:
            result[at:at] = result[rng.randrange(len(result) + 1) :][:size]
        else:
            other = rng.choice(others)
            result[at:] = other[rng.randrange(len(other)) :]
    return bytes(result)


def check_outcome(data: bytes) -> Container | None:
    """Parse in every way; anything but our errors or a file that obeys the rules fails. Return what is accepted."""
    parsed = None
    for parse in (lambda: unpack(data, strict=False), lambda: read_front(io.BytesIO(data)), lambda: unpack(data)):
        try:
            parsed = parse()
        except (LicError, NotLicError):
            parsed = None
    if parsed is None:
        return None
    assert isinstance(parsed, Container)
    header = parsed.header
    assert len(parsed.tiles) == header.tile_count
    assert (parsed.alpha is not None) == header.has_alpha
    assert max(header.width, header.height) <= limits.MAX_SIDE
    assert header.width * header.height <= limits.MAX_PIXELS
    return parsed


def test_random_mutations_stay_within_our_errors() -> None:
    rng, originals = random.Random(1), list(FILES.values())
    payloads = {part for data in originals for part in parts_of(unpack(data))}
    accepted = 0
    for _ in range(10_000):
        if parsed := check_outcome(mutate(rng, rng.choice(originals), originals)):
            accepted += 1
            assert payloads.issuperset(parts_of(parsed)), "a payload nobody wrote was accepted"
    assert 0 < accepted < 1_000


def test_random_mutations_with_right_checksums_stay_within_our_errors() -> None:
    rng = random.Random(2)
    order = (0x90, 0x81, 0x82, 0x83, 3, 2, 4, 1)
    tags = (1, 1, *order, 0x05, 0x7F, 0x80, 0xFF)
    parsed = 0
    for _ in range(10_000):
        front = header_bytes(rng.choice((PLAIN, ALPHA, TILED)))
        if rng.random() < 0.6:
            front = MAGIC + mutate(rng, front[6:], [front])
        sections = []
        for _ in range(rng.randint(0, 8)):
            payload = rng.randbytes(rng.randint(0, 12))
            length = len(payload) if rng.random() < 0.9 else rng.randrange(2 ** rng.randint(1, 32))
            sections.append((rng.choice(tags), length, payload))
        if rng.random() < 0.5:
            sections.sort(key=lambda item: order.index(item[0]) if item[0] in order else -1)
        parsed += check_outcome(seal(front, sections, rng.randbytes(rng.randint(0, 3)))) is not None
    assert 100 < parsed < 9_000, "the mutations reach neither the accepting nor the refusing side"


# Bombs


BOMBS = {
    "65535x65535": seal(raw_header(65535, 65535), [TILE]),
    "2**32 - 1 wide": seal(raw_header(2**32 - 1, 2**32 - 1), [TILE]),
    "11264 tiles missing": seal(raw_header(65535, 2730, picture=0x06), [TILE]),
    "a million sections": seal(raw_header(9, 9), [section(0x90, b"")] * 10_000) * 100,
    "huge tile": seal(raw_header(9, 9), [(1, limits.MAX_TILE_BYTES, b"x")]),
    "huge metadata": seal(raw_header(9, 9), [(0x81, limits.MAX_METADATA_BYTES, b"x")]),
    "huge alpha": seal(raw_header(9, 9, picture=3), [(2, limits.MAX_ALPHA_BYTES, b"x")]),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
@pytest.mark.parametrize("strict", [True, False])
def test_bombs_cost_nothing(data: bytes, strict: bool) -> None:
    def refuse() -> None:
        try:
            found = unpack(data, strict=strict).tiles
        except LicError:
            return
        assert not strict
        assert any(part is None or isinstance(part, CutPayload) for part in found)

    spent = []
    for _ in range(5):
        start = time.process_time()
        refuse()
        spent.append(time.process_time() - start)
    assert min(spent) < 0.01
    tracemalloc.start()
    refuse()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**18
