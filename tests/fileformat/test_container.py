"""The container: round trips, what is read of a front, and that every refusal has its reason."""

import io
from dataclasses import replace

import pytest
from made.tiled import stream_of

from fileformat.container_files import (
    ALPHA,
    EVERY,
    FILES,
    METADATA,
    PLAIN,
    REFUSALS,
    TILE,
    TILED,
    header_bytes,
    parts_of,
    raw_header,
    seal,
    section,
    tile,
)
from pillow_lic import inspecting
from pillow_lic.engine import models
from pillow_lic.engine.entropy import parse_prefix
from pillow_lic.errors import (
    LicDamagedError,
    LicLimitError,
    LicUnsupportedError,
)
from pillow_lic.fileformat.container import pack, read_front, unpack
from pillow_lic.fileformat.header import Header
from pillow_lic.fileformat.identity import MAGIC
from pillow_lic.fileformat.identity import accept as accepts
from pillow_lic.fileformat.varint import parse_varint, write_varint

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


@pytest.mark.parametrize(("data", "error", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal(data: bytes, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        unpack(data)
    with pytest.raises(error, match=reason):
        inspecting.verify(data)


@pytest.mark.parametrize(
    ("width", "height", "edge", "pixels"), [(2048, 2049, 0, 4325376), (9000, 9000, 4096, 16777216)]
)
def test_tiles_larger_than_the_models_are_refused(width: int, height: int, edge: int, pixels: int) -> None:
    known = models.choose(None)
    header = Header("RGB", width, height, edge, known.number, known.hash, 0)
    with pytest.raises(LicLimitError, match=f"tile of {pixels} pixels .* of model {known.name}"):
        inspecting.verify(pack(header, [tile(0)] * header.tile_count))


def test_a_file_of_an_unknown_model_is_verified_by_its_checksums() -> None:
    inspecting.verify(FILES["plain"])
    with pytest.raises(LicDamagedError, match="tile section is damaged"):
        inspecting.verify(REFUSALS["tile crc"][0])


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
        inspecting.verify(pack(replace(PLAIN, model_id=known.number, model_hash=known.hash), [payload]))


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
