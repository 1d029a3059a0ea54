"""Container files that are cut, altered, put together wrongly or made to cost much: one of our errors each time, soon and in little memory."""

import io
import itertools
import random
import time
import tracemalloc
from dataclasses import replace

import pytest

from fileformat.container_files import (
    ALPHA,
    EVERY,
    FILES,
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
from pillow_lic.errors import (
    LicDamagedError,
    LicError,
    LicTruncatedError,
    NotLicError,
)
from pillow_lic.fileformat import limits
from pillow_lic.fileformat.container import Container, CutPayload, pack, read_front, unpack
from pillow_lic.fileformat.identity import MAGIC
from pillow_lic.fileformat.tiling import Tiling
from pillow_lic.inspecting import description


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
    order = (0x90, 0x81, 0x82, 0x83, 0x84, 3, 2, 4, 1)
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


def test_what_is_said_of_a_file_without_a_whole_section() -> None:
    said = description.as_text(description.describe(FILES["plain"][:-1]))
    assert "sections  none is there whole" in said
