"""FORMAT.md and the code agree: numbers, tags, the worked example."""

import binascii
import re
import zlib

import format_example
import pytest

from pillow_lic import codec, inspecting
from pillow_lic.families.lic1 import passes
from pillow_lic.fileformat import header, limits, sections

TEXT = format_example.FORMAT.read_text("utf-8")


def rows(pattern: str) -> list[tuple[str, ...]]:
    return re.findall(pattern, TEXT, re.MULTILINE)


def test_the_limits_are_those_of_the_code() -> None:
    promised = {name: int(value) for name, value in rows(r"^\| `([A-Z_]+)` \| (\d+) \|")}
    assert promised == {name: value for name, value in vars(limits).items() if name.isupper()}


def test_the_tags_are_those_of_the_code() -> None:
    written = {int(tag, 16): name for tag, name in rows(r"^\| (0x[0-9a-f]{2}) \| (\w+) \|")}
    assert written == sections.NAMES
    assert list(written) == list(sections.ORDER)


def test_the_magic_and_the_version_are_those_of_the_code() -> None:
    ((magic,),) = [rows(r"^\| 0 \| 6 \| magic \| `([0-9A-F ]+)` \|()")[0][:1]]
    assert bytes.fromhex(magic) == header.MAGIC
    assert rows(r"^\| 6 \| 1 \| format version \| (\d+) \|()")[0][0] == str(header.VERSION)
    low, high = rows(r"^\| header \| (\d+)-(\d+) \|")[0]
    longest = header.Header("L", limits.MAX_SIDE, 2730, 1024, limits.MAX_MODEL_ID, b"hash", 0)
    assert int(high) == len(header.write_header(longest)) + 1, "and one more byte of a height that size"
    assert int(high) <= header.MAX_HEADER_BYTES
    assert int(low) == len(header.write_header(header.Header("L", 1, 1, 0, 1, b"hash", 0)))


def test_the_order_of_the_passes_is_that_of_the_code() -> None:
    table = rows(r"^\| ([0-3]) \| ([0-3]) \| ([0-3]) \| ([0-3]) \| ([0-3]) \|$")
    assert [tuple(map(int, row[1:])) for row in table] == list(passes.ORDER)


def test_the_checksums_are_those_named() -> None:
    crc32, crc16 = rows(r"123456789` is ([0-9A-F]{8})\)")[0], rows(r"same digits ([0-9A-F]{4})\)")[0]
    assert zlib.crc32(b"123456789") == int(crc32, 16)
    ((start, started),) = rows(r"\(`s` = ([0-9A-F]{8}): ([0-9A-F]{8})\)")
    assert zlib.crc32(b"123456789", int(start, 16)) == int(started, 16)
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == int(crc16, 16)


def test_the_contents_lead_somewhere() -> None:
    targets = re.findall(r"\]\(#([\w-]+)\)", TEXT)
    anchors = [
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", TEXT, re.M)
    ]
    assert targets == anchors


def test_the_example_is_a_real_file() -> None:
    """After a change of the model: python tests/format_example.py."""
    _, example, _ = format_example.between(TEXT)
    data = format_example.parse(example)
    inspecting.verify(data)
    stated = [int(v) for v in re.findall(r"\d+", example.split("are (within the tolerance of section 9)")[1])]
    _, pixels = codec.decode(data)
    got = [int(v) for y in (0, 15) for x in (0, 15) for v in pixels[y, x]]
    assert stated == pytest.approx(got, abs=1)
    # All but the corners is exact: the dump, its annotations, and the symbols.
    assert (
        example.split("The four corners")[0].strip()
        == format_example.explain(data).split("The four corners")[0].strip()
    )
