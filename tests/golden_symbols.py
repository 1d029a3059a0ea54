"""What the range coder reads of a golden file, as digests that never change."""

import hashlib
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt

from pillow_lic import codec
from pillow_lic.engine import bits, entropy, models
from pillow_lic.engine.settings import settings
from pillow_lic.families.lic1 import filtering, passes, symbols
from pillow_lic.families.lic1.geometry import geometry
from pillow_lic.fileformat import container, importance_map


def symbol_digests(data: bytes) -> list[str]:
    """SHA-256 of what the range coder read of every tile, as int32: it must never change.

    Of `lic1` that is z_hat, then the values in twentieths of a step, in the order of their arrays; of other procedures the
    symbols as they are coded, or every array of planes of bits, and of signs that are predicted.
    """
    parts = container.unpack(data)
    if models.named(parts.header.model_id, parts.header.model_hash).procedure == "lic1":
        return lic1_digests(data)
    digests: list[str] = []
    finish, read_planes, read_signs = entropy.Decoder.finish, bits.Decoder.read_planes, bits.Decoder.read_signs

    def note(*read: npt.NDArray[Any]) -> None:
        digests.append(hashlib.sha256(b"".join(a.astype("<i4").tobytes() for a in read)).hexdigest())

    def noted(decoder: entropy.Decoder, *read: npt.NDArray[Any]) -> None:
        note(*read)
        finish(decoder, *read)

    def noted_planes(decoder: bits.Decoder, *words: Any) -> npt.NDArray[np.uint8]:
        planes = read_planes(decoder, *words)
        note(planes)
        return planes

    def noted_signs(decoder: bits.Decoder, *words: Any) -> npt.NDArray[np.int8]:
        signs = read_signs(decoder, *words)
        note(signs)
        return signs

    with (
        settings(threads=1),
        mock.patch.object(entropy.Decoder, "finish", noted),
        mock.patch.object(bits.Decoder, "read_planes", noted_planes),
        mock.patch.object(bits.Decoder, "read_signs", noted_signs),
    ):
        codec.decode(data)
    return digests


def lic1_digests(data: bytes) -> list[str]:
    """The digests of a file of the procedure `lic1`."""
    parts = container.unpack(data)
    header = parts.header
    spec = models.named(header.model_id, header.model_hash)
    whole = importance_map.shape_of(header.height, header.width)
    deltas = None if parts.importance is None else importance_map.unpack(parts.importance, whole)
    sizes = geometry(spec)
    digests = []
    for tile, payload in zip(header.tiling.tiles(), parts.tiles, strict=True):
        grid = sizes.grid(*tile.shape)
        place = tile.y0 // sizes.stride, tile.x0 // sizes.stride
        field = importance_map.level_field(header.level, deltas, grid.shape, *place)
        assert payload is not None
        read = symbols.read(spec, payload, header.level, field, grid)
        plain, *more = filtering.parts(read.filter.taps)
        arrays = [read.z_hat, passes.spread(read.values, (sizes.latents, *grid.shape), grid.inside)]
        if sizes.fraction:
            arrays += [plain, *more] if any(part.any() for part in more) else [plain]
        digests.append(hashlib.sha256(b"".join(a.astype("<i4").tobytes() for a in arrays)).hexdigest())
    return digests
