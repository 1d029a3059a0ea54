"""The worked example of FORMAT.md: made from a real file, and read back by the test that keeps it true.

python tests/format_example.py          writes it anew, after the model changed
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pillow_lic import codec
from pillow_lic.engine import models
from pillow_lic.families.lic1 import passes, symbols
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.fileformat import alpha, container, importance_map
from pillow_lic.options import EncodeOptions

FORMAT = Path(__file__).parent.parent / "pillow_lic" / "FORMAT.md"
BEGIN, END = "<!-- example: ", "<!-- end of example -->"


def picture() -> np.ndarray:
    """16x16 pixels, RGBA: a slope in every channel, opaque in its left half."""
    y, x = np.mgrid[0:16, 0:16]
    return np.stack([96 + 8 * x, 128 + 4 * y, 160 - 4 * x, np.where(x < 8, 255, 64)], -1).astype(np.uint8)


def make() -> bytes:
    return codec.encode(picture(), "RGBA", EncodeOptions(quality=2, model="lic1"), metadata={"xmp": b"<x/>"})


def fields(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield (bytes, what they are) for the whole file, parsed by hand as FORMAT.md tells."""
    header = container.unpack(data).header
    yield 6, "magic"
    yield 1, "format version 1"
    yield 1, "picture byte: mode 3 (RGBA), tile exponent 0"
    for name, value in (("width", header.width), ("height", header.height), ("model id", header.model_id)):
        yield 1, f"{name} {value}"
    yield 4, "model hash"
    yield 2, f"level {header.level}: quality {header.quality:.2f}"
    yield 2, "CRC-16 of the 17 bytes so far"
    position, names = 19, {0x83: "XMP", 0x02: "alpha", 0x01: "tile"}
    while position < len(data):
        tag, length, size = data[position], 0, 1
        while data[position + size] & 0x80:
            length |= (data[position + size] & 0x7F) << 7 * (size - 1)
            size += 1
        length |= data[position + size] << 7 * (size - 1)
        yield 1, f"tag: {names[tag]}"
        yield size, f"payload of {length} bytes"
        if tag == 0x01:
            yield 1, f"lanes: {1 << (data[position + size + 1] & 3)}"
            yield 2, "symbol check"
            yield 4, "state of lane 0"
            yield length - 7, "bytes of the stream"
        elif tag == 0x02:
            yield 1, "procedure 0"
            yield length - 1, "zlib stream of 16 rows"
        else:
            yield length, "payload"
        yield 4, "CRC-32 of the section so far"
        position += 1 + size + length + 4


def dump(data: bytes) -> str:
    lines, position = [], 0
    for size, what in fields(data):
        for start in range(0, size, 16):
            part = data[position + start : position + min(size, start + 16)]
            lines.append(f"{position + start:04x}  {part.hex(' '):47}  {what if start == 0 else ''}".rstrip())
        position += size
    return "\n".join(lines)


def listing(values: np.ndarray) -> str:
    found = [f"{channel}: {int(value)}" for channel, value in enumerate(values.ravel()) if value]
    return ", ".join(found) or "all 0"


def explain(data: bytes) -> str:
    """The whole example as FORMAT.md has it, between its two marks."""
    parts = container.unpack(data)
    header, pixels = codec.decode(data)
    spec = models.named(header.model_id, header.model_hash)
    grid = geometry(spec).grid(header.height, header.width)
    field = importance_map.level_field(header.level, None, grid.shape)
    assert parts.tiles[0] is not None
    z_hat, each, _ = symbols.read(spec, parts.tiles[0], header.level, field, grid)
    values = passes.spread(each, (geometry(spec).latents, *grid.shape), grid.inside)
    assert parts.alpha is not None
    plane = alpha.unpack(parts.alpha, (header.height, header.width))
    corners = ", ".join(str(tuple(int(v) for v in pixels[y, x])) for y in (0, 15) for x in (0, 15))
    return f"""\
A picture of 16x16 pixels with alpha, {len(data)} bytes. Its colours are R = 96 + 8x, G = 128 + 4y, B = 160 - 4x; alpha is 255 where
x < 8, else 64.

```
{dump(data)}
```

Latents: h = w = 1, padded to 4x4; hyper-latents 1x1. z_hat is (as channel: value, the others 0)

    {listing(z_hat)}

and r, in twentieths of a step, of which only row 0, column 0 is coded: channels 0-79 in pass 0, 80-159 in pass 1, 160-239 in
pass 2, 240-319 in pass 3,

    {listing(values[:, 0, 0])}

The alpha plane begins with {", ".join(str(v) for v in plane[0, 6:10])} in columns 6 to 9 of row 0. The four corners of the decoded
picture, from the top left in raster order, are (within the tolerance of section 9)

    {corners}
"""


def between(text: str) -> tuple[str, str, str]:
    """The text up to the end of the first mark's line, what is between the marks, and the rest."""
    start = text.index("\n", text.index(BEGIN)) + 1
    end = text.index(END)
    return text[:start], text[start:end], text[end:]


def parse(example: str) -> bytes:
    """The bytes of the hex dump."""
    block = example.split("```")[1]
    return bytes.fromhex("".join(line[6:53] for line in block.splitlines()))


def main() -> None:
    before, _, after = between(FORMAT.read_text("utf-8"))
    FORMAT.write_text(before + "\n" + explain(make()) + "\n" + after, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
