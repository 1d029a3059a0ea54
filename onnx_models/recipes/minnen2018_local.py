"""`minnen2018-local`: Minnen et al., "Image-dependent local entropy models for learned image compression" (ICIP 2018, 1805.12295).

    q of training patches ──▶ cost of every block by every entry ──▶ nearest entry ──▶ entries and tables of what they were nearest to ──┐
                                      ▲──────────────────────────────────────────────────────────────────────────────────────────────┘

The paper's idea: a dictionary of distributions, of which every block of the latents of a picture picks one; the choice is in the file.
The transform is that of `balle2017`, number 14, as it is; no gradient and no network: k-means where the distance is a length in bits.

- Tables: 184, shared. They begin as Gaussians with long tails, of 64 scales around 0 and of three around 40 other means, and become the
  histograms of what they code.
- Entries: 256 near each of the nine anchors of the level, each a table for each channel. They begin with blocks of all kinds from the
  flattest to the busiest; one that hardly any block picks begins anew with a block of its own. At the end they are in the order of
  their mean cost, so that the map's contexts, which see the neighbours' numbers, see how busy they are.
- The map's start values are how often each bit was 1 on the training patches.

    python -m onnx_models.recipes.minnen2018_local PATCHES_FOLDER --id 18
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pillow_lic.engine import entropy
from pillow_lic.families import minnen2018_local as family
from pillow_lic.families.minnen2018_local import CLASSES, LARGEST, NODES

from . import balle2017
from .balle2017 import LATENTS
from .common.data import Patches
from .common.drawings import drawing
from .common.export import Release, add_destination
from .common.gaussian import TAIL_SCALE, TAIL_SHARE
from .common.levels import ANCHORS, LEVEL_MAX, SPACING
from .common.tables import Table, counted_table, gaussian_probabilities, scale_levels

ENTRIES = 256
SCALES, SCALE_MIN, SCALE_MAX = 64, 0.08, 200.0
"""Standard deviations of the tables around 0 at the beginning, in steps."""
MEANS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 19, 24, 30, 38, 48, 60, 75, 94, 118, 148)
WIDTHS = (0.08, 0.2, 0.4)
"""The other tables are around these and their negatives, with standard deviations of so many of them: the mean of a flat place is its own."""
TABLES = SCALES + 2 * len(MEANS) * len(WIDTHS)
SIZE = 2 * LARGEST + 1
PRIOR_WEIGHT = 2000
"""Symbols that the first form of a table is worth beside those counted."""
CHANNEL_WEIGHT = 2.0
"""Symbols of its channel's histogram that an entry sees beside its own."""
FEWEST = 8
"""Blocks that an entry must be nearest to, or it begins anew."""
ROUGH = 4
"""In all rounds but the last one in so many blocks is looked at, others in each round."""
Symbols = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]


@torch.no_grad()
def blocks_of(patches: list[npt.NDArray[np.uint8]], seed: int = 0) -> list[Symbols]:
    """Return the blocks (n,LATENTS,4) of patches near every anchor, each patch at a random level there."""
    net, rng = balle2017.load(), np.random.default_rng(seed)
    found: list[list[Symbols]] = [[] for _ in range(ANCHORS)]
    for patch in patches:
        x = torch.from_numpy(patch[:256, :256].copy()).permute(2, 0, 1)[None].float() / 255
        y = net.analysis(x - 0.5)
        for anchor, blocks in enumerate(found):
            level = torch.tensor([anchor * SPACING + rng.integers(-SPACING // 2, SPACING // 2)]).clamp(0, LEVEL_MAX)
            q = (y * net.encoder_gains(level.float())).round()[0].numpy().astype(np.int16)
            blocks.append(family.in_blocks(q).reshape(-1, LATENTS, 4))
    return [np.concatenate(blocks) for blocks in found]


def first_probabilities() -> npt.NDArray[np.float64]:
    """Return the probabilities of the symbols -LARGEST..LARGEST by every table at the beginning, (TABLES,SIZE)."""
    around = [(0.0, sigma) for sigma in scale_levels(SCALES, SCALE_MIN, SCALE_MAX)]
    around += [(sign * mean, max(1, mean) * width) for mean in MEANS for sign in (-1, 1) for width in WIDTHS]
    shapes = [
        (1 - TAIL_SHARE) * gaussian_probabilities(sigma, LARGEST, mean)
        + TAIL_SHARE * gaussian_probabilities(TAIL_SCALE * sigma, LARGEST, mean)
        + 1e-7
        for mean, sigma in around
    ]
    return np.stack([shape / shape.sum() for shape in shapes])


def histogram(blocks: Symbols) -> npt.NDArray[np.float64]:
    """Return how often each symbol is in each channel of blocks (n,LATENTS,4): (LATENTS,SIZE); those too large as the largest."""
    symbols = np.clip(blocks, -LARGEST, LARGEST).astype(np.int64) + LARGEST
    codes = symbols + np.arange(LATENTS)[:, None] * SIZE
    return np.bincount(codes.ravel(), minlength=LATENTS * SIZE).reshape(LATENTS, SIZE).astype(np.float64)


class Dictionary:
    """The entries near one anchor, (ENTRIES,LATENTS), and the blocks that they are made for."""

    def __init__(self, blocks: Symbols, bits: Floats, rng: np.random.Generator) -> None:
        self.blocks, self.rng = blocks, rng
        whole = histogram(blocks)
        self.channels = whole / whole.sum(1, keepdims=True)
        busy = np.abs(blocks).sum((1, 2)).argsort(kind="stable")
        places = (np.arange(ENTRIES) + rng.random(ENTRIES)) * len(blocks) / ENTRIES
        self.entries = np.stack([self._entry(blocks[i : i + 1], bits) for i in busy[places.astype(int)]])

    def _entry(self, blocks: Symbols, bits: Floats) -> npt.NDArray[np.uint8]:
        """Return the tables that code blocks in the fewest bits, (LATENTS,)."""
        counts = histogram(blocks) + CHANNEL_WEIGHT * self.channels
        return (counts.astype(np.float32) @ bits.T).argmin(1).astype(np.uint8)

    def costs(self, blocks: Symbols, bits: Floats) -> Floats:
        return family.costs(blocks[None], self.entries, bits)[0]

    def improve(self, bits: Floats, counts: npt.NDArray[np.float64], share: int) -> float:
        """Make every entry anew of the blocks that are nearest to it, one in `share` of all; return their mean bits before.

        Symbols that are coded with a table are added to its row of counts (TABLES,SIZE).
        """
        some = self.blocks[self.rng.integers(share) :: share]
        cost = self.costs(some, bits)
        nearest = cost.argmin(1)
        for entry in range(ENTRIES):
            own = some[nearest == entry]
            if len(own) < FEWEST:
                own = some[self.rng.integers(len(some), size=1)]
            self.entries[entry] = self._entry(own, bits)
            seen = histogram(own)
            for table in np.unique(self.entries[entry]):
                counts[table] += seen[self.entries[entry] == table].sum(0)
        return float(cost.min(1).mean())


def tables_of(counts: npt.NDArray[np.float64], prior: npt.NDArray[np.float64]) -> list[Table]:
    return [counted_table(-LARGEST, seen, PRIOR_WEIGHT * p) for seen, p in zip(counts, prior, strict=True)]


def bits_of(probabilities: npt.NDArray[np.float64]) -> Floats:
    return -np.log2(np.maximum(probabilities, 2.0**-17)).astype(np.float32)


def dictionaries(blocks: list[Symbols], rounds: int) -> tuple[list[Dictionary], list[Table]]:
    """Return the dictionary of every anchor and the tables that they share."""
    prior, rng = first_probabilities(), np.random.default_rng(0)
    bits = bits_of(prior)
    found = [Dictionary(of_anchor, bits, rng) for of_anchor in blocks]
    for number in range(rounds):
        counts = np.zeros((TABLES, SIZE))
        means = [d.improve(bits, counts, ROUGH if number < rounds - 1 else 1) for d in found]
        print(f"round {number}: bits of a block", " ".join(f"{mean:.1f}" for mean in means), flush=True)
        smoothed = counts + PRIOR_WEIGHT * prior
        bits = bits_of(smoothed / smoothed.sum(1, keepdims=True))
    return found, tables_of(counts, prior)


def start_values(found: Dictionary, known: Floats, side: int) -> npt.NDArray[np.uint16]:
    """Put the entries in the order of their mean cost; return the start values of the map's contexts (CLASSES * NODES,).

    known: bits by the stored tables. side: blocks on each side of a patch, whose blocks follow each other.
    """
    cost = found.costs(found.blocks, known)
    order = cost.mean(0).argsort(kind="stable")
    found.entries, cost = found.entries[order], cost[:, order].reshape(-1, side, side, ENTRIES)
    starts = np.full(CLASSES * NODES, 32768, np.uint16)
    for _ in range(2):  # the second time with what the first has found a choice to cost
        weighed = family.bits_of_choices(starts)
        seen = np.full((2, CLASSES * NODES), 0.5)

        def count(bit: int, context: int, seen: npt.NDArray[np.float64] = seen) -> None:
            seen[bit, context] += 1

        for patch in cost:
            family.write_map(family.chosen(patch, weighed), count)
        starts = np.clip(np.rint(65536 * seen[1] / seen.sum(0)), 64, 65472).astype(np.uint16)
    return starts


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("patches", type=Path)
    add_destination(p)
    p.add_argument("--samples", type=int, default=220, help="training patches")
    p.add_argument("--drawings", type=int, default=60, help="drawings beside them")
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    export(a)


def export(a: argparse.Namespace) -> None:
    """Make the dictionary; write it, the tables, the start values and the entry of the manifest."""
    rng = np.random.default_rng(1)
    patches = [*Patches(a.patches).some(a.samples), *(drawing(256, rng) for _ in range(a.drawings))]
    found, tables = dictionaries(blocks_of(patches), a.rounds)
    release = Release(a.out, a.id, "minnen2018-local", "minnen2018_local", balle2017.CONSTANTS)
    files = release.shared(14, ("analysis", "synthesis")) | {"tables": release.tables(tables)}
    known = entropy.stored_bits(files["tables"].read(), LARGEST)
    starts = np.stack([start_values(dictionary, known, 256 // balle2017.STRIDE // 2) for dictionary in found])
    dictionary = np.stack([d.entries for d in found])
    files["dictionary"] = release.data("dictionary.bin", dictionary.tobytes())
    release.enter(files | {"starts": release.data("starts.bin", starts.astype("<u2").tobytes())})


if __name__ == "__main__":
    main()
