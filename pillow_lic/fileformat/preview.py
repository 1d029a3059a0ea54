"""The preview: a small copy of the picture, as a .lic file in an ancillary section, so that a thumbnail needs no tile.

    payload = varint scale, file

FORMAT.md, 5.5 is the specification.
"""

from __future__ import annotations

import io
from typing import Final, NamedTuple

from ..errors import LicDamagedError, LicError, NotLicError
from . import container
from .header import MAX_HEADER_BYTES, Header, parse_header
from .limits import MAX_PREVIEW_PIXELS
from .sections import METADATA, PREVIEW
from .varint import parse_varint, write_varint

LEAST_SCALE: Final = 2


class Preview(NamedTuple):
    """A .lic file of ceil(H / scale) rows and ceil(W / scale) columns."""

    scale: int
    file: bytes


def pack(found: Preview) -> bytes:
    """Return the payload of a preview."""
    return write_varint(found.scale) + found.file


def unpack(payload: bytes, header: Header) -> Preview:
    """Return the preview of a payload, whose header fits that of the picture; LicDamagedError for any other."""
    try:
        scale, used = parse_varint(payload, 0)
        own, _ = parse_header(payload[used : used + MAX_HEADER_BYTES])
    except (LicError, NotLicError) as error:
        msg = f"preview section must hold a .lic file: {error}"
        raise LicDamagedError(msg) from None
    if scale < LEAST_SCALE:
        msg = f"preview section must have a scale of at least {LEAST_SCALE}, got {scale}"
        raise LicDamagedError(msg)
    wanted = (header.mode, -(-header.width // scale), -(-header.height // scale), header.model_id, header.model_hash)
    if (own.mode, own.width, own.height, own.model_id, own.model_hash) != wanted:
        msg = (
            f"preview section must hold {wanted[1]}x{wanted[2]} {header.mode} by the model of the picture, "
            f"got {own.width}x{own.height} {own.mode} by model {own.model_id}"
        )
        raise LicDamagedError(msg)
    if own.width * own.height > MAX_PREVIEW_PIXELS:
        msg = f"preview section must have at most {MAX_PREVIEW_PIXELS} pixels, got {own.width}x{own.height}"
        raise LicDamagedError(msg)
    return Preview(scale, payload[used:])


def check(found: Preview) -> None:
    """Check every section of the file of a preview; LicDamagedError for one that is damaged, or has more than pixels."""
    file = io.BytesIO(found.file)
    try:
        front = container.read_front(file)
        container.refuse_truncated(front)
        container.check_sections(file, front)
    except LicError as error:
        msg = f"preview section is damaged: {error}"
        raise LicDamagedError(msg) from None
    foreign = [ref.name for ref in front.sections if ref.tag in METADATA or ref.tag == PREVIEW]
    if foreign or front.trailing:
        msg = f"preview section must hold nothing but a picture, got {', '.join(foreign) or 'bytes after it'}"
        raise LicDamagedError(msg)


def sound(payload: bytes | None, header: Header) -> Preview | None:
    """Return the preview of a payload; None where there is none, and for one that breaks a rule."""
    if payload is None:
        return None
    try:
        found = unpack(payload, header)
        check(found)
    except LicDamagedError:
        return None
    return found
