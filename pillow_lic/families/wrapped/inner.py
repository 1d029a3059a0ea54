"""The file inside a payload: found, and refused unless it is a JPEG file of the size that the picture around it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import LicDamagedError
from ...fileformat import jpeg, streams
from ...fileformat.jpeg import Facts

if TYPE_CHECKING:
    from ...engine.models import Model


def inner(payload: bytes | memoryview) -> memoryview:
    """Return the file inside a payload; LicDamagedError for a payload of more than one stream."""
    coded = streams.unpack(payload)
    if len(coded) != 1:
        msg = f"a tile with a file inside must have one stream, got {len(coded)}"
        raise LicDamagedError(msg)
    return coded[0]


def check(payload: bytes | memoryview) -> None:
    """Raise the error that says what is wrong with the markers of the file inside a payload."""
    jpeg.facts_of(inner(payload))


def of_inner(model: Model, shape: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of the inner picture of a picture of that shape."""
    scale = model.constants["scale"]
    return -(-shape[0] // scale), -(-shape[1] // scale)


def checked(model: Model, data: memoryview, shape: tuple[int, int]) -> Facts:
    """Return what the file inside says of itself; LicDamagedError unless it is as large as a picture of that shape needs."""
    facts = jpeg.facts_of(data)
    rows, columns = of_inner(model, shape)
    if (facts.height, facts.width) != (rows, columns):
        msg = f"the JPEG file inside must be {columns}x{rows}, its markers say {facts.width}x{facts.height}"
        raise LicDamagedError(msg)
    return facts
