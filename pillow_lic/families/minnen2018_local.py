"""The family `minnen2018_local`: Minnen et al., "Image-dependent local entropy models for learned image compression" (ICIP 2018, 1805.12295).

    pixels ─analysis(level)─round─▶ q ─▶ the entry that codes each block of 2x2 latents in the fewest bits ─▶ map
                                                 └──▶ a table for each channel of the block ──▶ coded q
    pixels ◀─────synthesis(level)────────────── q ◀── the entries that the map names ◀── map, coded q

The paper's idea: one distribution for each channel fits no picture well. So a dictionary holds many sets of distributions, every
block of latents is coded by the set that suits it best, and the choice is sent. No network has a part in that, so that it is as exact
as plain tables. On simple pictures it saves most of the bits.

Kept: a transform that was trained before and stays as it is; a fixed dictionary of stored distributions; for each block the set that
makes its code shortest, by a number in the file.

Changed, and why:

* The transform is that of `balle2017`, number 14: files of the two have the same pixels, and differ by their entropy model.
* An entry names a shared table for each channel: 256 bytes instead of 256 distributions of its own.
* There are 256 entries near each of nine levels, as the one transform has all rates.
* The map is coded bit by bit in contexts of the neighbouring choices (FORMAT.md, 7.4); the choice weighs these bits too.
* The sizes of block and dictionary are ours.

FORMAT.md, 14.5 says how it decodes; onnx_models/recipes/minnen2018_local.py made the dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..engine import bits, entropy
from ..engine.models import Model
from ..fileformat.streams import unpack
from .shared import transform
from .shared.transform import Indexes, Pixels, Symbols

if TYPE_CHECKING:
    from . import Coded

Floats = npt.NDArray[np.float32]
Entries = npt.NDArray[np.uint8]
Choice = npt.NDArray[np.uint8]

NAME = "minnen2018_local"
MODES = frozenset({"RGB"})
OPTIONS: frozenset[str] = frozenset()

BLOCK = 2
"""Latents on each side of a block."""
CLASSES, NODES, DEPTH = 16, 255, 8
"""Classes of the neighbours of a choice, and the nodes and depth of the binary tree of its bits; each pair has a context."""
LARGEST = 255
"""Largest magnitude of a symbol whose bits are weighed as they are; larger ones are weighed as if they had this one."""


def encode(model: Model, pixels: Pixels, level: int) -> list[bytes]:
    """Return the streams of the map and of the symbols of pixels (h, w, 3); LicRuntimeError as of `transform.latents`."""
    q = transform.rounded(transform.latents(model, pixels, level))
    dictionary, starts = of_level(model, level)
    known = transform.bits_of_symbols(model, LARGEST)
    choice = chosen(costs(in_blocks(q), dictionary, known), bits_of_choices(starts))
    coder = bits.Encoder(starts)
    write_map(choice, lambda bit, context: coder.write(np.full(1, bit, np.uint8), np.full(1, context, np.uint16)))
    return [coder.stream(), entropy.encode(model.tables, q, _tables(dictionary, choice, q.shape))]


def decode(model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int) -> Pixels:
    """Return the pixels (h, w, 3) of that shape; LicDamagedError for what `encode` did not make."""
    q, _, _ = _read(model, streams, shape, level)
    return transform.picture(model, q, shape, level)


def dump(model: Model, tile: Coded) -> dict[str, npt.NDArray[Any]]:
    """Return the symbols (M, h, w) int16 of a tile, the indexes (M, h, w) uint16 of their tables, and the `choice` of each block, uint8."""
    q, tables, choice = _read(model, unpack(tile.payload), tile.area.shape, tile.level)
    return {"symbols": q, "indexes": tables, "choice": choice}


def _read(
    model: Model, streams: Sequence[memoryview], shape: tuple[int, int], level: int
) -> tuple[Symbols, Indexes, Choice]:
    """Return the symbols of pixels of that shape, the indexes of their tables, and the entry of each block; LicDamagedError as `decode`."""
    first, second = transform.streams_of(model, streams, 2)
    whole = transform.shape_of_latents(model, shape)
    dictionary, starts = of_level(model, level)
    with transform.no_network_in_the_parse():
        coder = bits.Decoder(starts, first)
        choice = read_map(whole[1:], lambda context: int(coder.read(np.full(1, context, np.uint16))[0]))
        coder.finish()
        tables = _tables(dictionary, choice, whole)
        return entropy.decode(model.tables, second, tables), tables, choice


def of_level(model: Model, level: int) -> tuple[Entries, bits.Starts]:
    """Return the entries (256, channels) near a level, the numbers of their tables, and the start values of the map's contexts."""
    anchor = transform.anchor(model, level)
    entries = np.frombuffer(model.stored("dictionary").read(), np.uint8).reshape(-1, 256, model.constants["latents"])
    starts = bits.stored_starts(model.stored("starts").read()).reshape(-1, CLASSES * NODES)
    return entries[anchor], starts[anchor]


def in_blocks(q: Symbols) -> Symbols:
    """Return symbols (C, h, w) as blocks (rows, columns, C, 4), with 0 for the places beyond h and w."""
    padded = np.pad(q, ((0, 0), *((0, -length % BLOCK) for length in q.shape[1:])))
    channels, height, width = padded.shape
    cells = padded.reshape(channels, height // BLOCK, BLOCK, width // BLOCK, BLOCK).transpose(1, 3, 0, 2, 4)
    return cells.reshape(height // BLOCK, width // BLOCK, channels, BLOCK**2)


def costs(blocks: Symbols, entries: Entries, known: Floats) -> Floats:
    """Return the bits of blocks (rows, columns, C, 4) by every entry, (rows, columns, 256).

    known: the bits of the symbols -LARGEST..LARGEST by every table. Most symbols are 0, so what others cost beside that is added up.
    """
    rows, columns, channels, places = blocks.shape
    flat = np.clip(blocks, -LARGEST, LARGEST).reshape(-1, channels, places)
    block, channel, place = np.nonzero(flat)
    pairs, which = np.unique(channel * known.shape[1] + flat[block, channel, place] + LARGEST, return_inverse=True)
    of_channel, symbol = np.divmod(pairs, known.shape[1])
    own = entries.T[of_channel]
    beside = known[own, symbol[:, None]] - known[own, LARGEST]
    found = np.broadcast_to(places * known[entries, LARGEST].sum(1), (len(flat), len(entries))).copy()
    begins = np.searchsorted(block, np.arange(len(flat) + 1))
    for b in np.flatnonzero(np.diff(begins)):
        found[b] += beside[which[begins[b] : begins[b + 1]]].sum(0)
    return found.reshape(rows, columns, -1)


def chosen(cost: Floats, of_choices: Floats) -> Choice:
    """Return the entry of every block (rows, columns), in raster order the one with the fewest bits, those of its choice among them.

    of_choices: (CLASSES, 256), as `bits_of_choices`.
    """
    choice = np.zeros(cost.shape[:2], np.uint8)
    for i, j in np.ndindex(choice.shape):
        choice[i, j] = (cost[i, j] + of_choices[_class(choice, i, j)]).argmin()
    return choice


def bits_of_choices(starts: bits.Starts) -> Floats:
    """Return the bits of every choice in every class by start values (CLASSES * NODES,): (CLASSES, 256)."""
    one = starts.reshape(CLASSES, NODES) / 65536
    found, entries = np.zeros((CLASSES, 256)), np.arange(256)
    for depth in range(DEPTH):
        node = (1 << depth) - 1 + (entries >> (DEPTH - depth))
        bit = entries >> (DEPTH - 1 - depth) & 1
        found -= np.log2(np.where(bit, one[:, node], 1 - one[:, node]))
    return found.astype(np.float32)


def write_map(choice: Choice, write: Callable[[int, int], None]) -> None:
    """Give every bit of the choices (rows, columns) and its context to `write`, in the order of coding."""
    for i, j in np.ndindex(choice.shape):
        context, value, prefix = NODES * _class(choice, i, j), int(choice[i, j]), 1
        for depth in range(DEPTH):
            bit = value >> (DEPTH - 1 - depth) & 1
            write(bit, context + prefix - 1)
            prefix = 2 * prefix + bit


def read_map(shape: tuple[int, int], read: Callable[[int], int]) -> Choice:
    """Return the choices of the blocks of latents of that shape, with bits that `read` gives for a context."""
    choice = np.zeros([-(-length // BLOCK) for length in shape], np.uint8)
    for i, j in np.ndindex(choice.shape):
        context, prefix = NODES * _class(choice, i, j), 1
        for _ in range(DEPTH):
            prefix = 2 * prefix + read(context + prefix - 1)
        choice[i, j] = prefix - 256
    return choice


def _class(choice: Choice, i: int, j: int) -> int:
    """Return the class of a block: the sixteenth of the entries in which the mean of its left and upper neighbours is (0 for none)."""
    left, upper = int(choice[i, j - 1]) if j else 0, int(choice[i - 1, j]) if i else 0
    return (left + upper + 1) // 2 // (256 // CLASSES)


def _tables(dictionary: Entries, choice: Choice, shape: tuple[int, ...]) -> Indexes:
    """Return the numbers of the tables of symbols of that shape, (channels, rows, columns)."""
    wide = choice.repeat(BLOCK, 0).repeat(BLOCK, 1)[: shape[1], : shape[2]]
    return dictionary.T[:, wide].astype(np.uint16)
