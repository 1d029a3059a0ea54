"""The ladder of priors: what the same latents take, so the same pixels, by one entropy model after another, all on `balle2017`'s transform.

    q ─▶ fixed tables ─▶ tables that adapt ─▶ local tables (Minnen 2018) ─▶ hyperprior ─▶ hyperprior and the neighbours before each latent

Fixed, local and hyperprior are the streams of `balle2017`, `minnen2018-local` and `balle2018`. The other two are ideal lengths, of a
code that no file has: a table begins as the stored one, worth WORTH symbols, and counts what it codes, so that the length is that of
the counts alone, whatever their order. *Adaptive* has a table for each channel; *neighbours* one for each scale index and how large the
four latents to the left and above were together, and adds what the hyper-latents take.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.ladder PICTURES
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.families import balle2018, minnen2018_local
from pillow_lic.families.shared import factorised, transform
from pillow_lic.fileformat.levels import quality_to_level

from .common.data import whole_pictures

QUALITIES = (1, 3, 5, 7, 9)
RUNGS = ("fixed", "adaptive", "local", "hyper", "neighbours")
WORTH = 50.0
"""Symbols that a stored table counts for at the start."""
EDGES = (1, 2, 3, 5, 8, 14, 26)
"""Where sums of neighbours' magnitudes, those beside and above counted twice, begin to be another kind of place."""

Symbols = npt.NDArray[np.int16]


def counted(symbols: Symbols, kinds: npt.NDArray[np.intp], starts: npt.NDArray[np.float32]) -> float:
    """Return the ideal bits of symbols by tables that adapt, one for each kind.

    kinds: of the symbols, in their shape. starts: bits of symbols -largest..largest by the table of each kind at the start,
    (kinds, 2 largest + 1).
    """
    width = starts.shape[1]
    cells = kinds.ravel() * width + symbols.ravel().astype(np.intp) + width // 2
    counts = torch.from_numpy(np.bincount(cells, minlength=starts.size).reshape(starts.shape)).double()
    used = counts.sum(1) > 0
    counts, share = counts[used], torch.exp2(-torch.tensor(starts, dtype=torch.float64)[used])
    begun = WORTH * share / share.sum(1, keepdim=True)
    nats = (begun.lgamma() - (begun + counts).lgamma()).sum(1)
    nats += (WORTH + counts.sum(1)).lgamma() - torch.tensor(WORTH).double().lgamma()
    return nats.sum().item() / math.log(2)


def places(symbols: Symbols) -> npt.NDArray[np.intp]:
    """Return the kind of place, 0 to len(EDGES), of every symbol (M, h, w), by its four neighbours that come before it in raster order."""
    size = np.pad(np.abs(symbols.astype(np.int64)), ((0, 0), (1, 0), (1, 1)))
    left, above = size[:, 1:, :-2], size[:, :-1]
    return np.digitize(2 * left + 2 * above[:, :, 1:-1] + above[:, :, :-2] + above[:, :, 2:], EDGES)


def rungs(pixels: npt.NDArray[np.uint8], level: int) -> npt.NDArray[np.float64]:
    """Return the bytes of pixels (h, w, 3) at a level by each of RUNGS."""
    fixed, local, hyper = (models.choose(name) for name in ("balle2017", "minnen2018-local", "balle2018"))
    shape = (pixels.shape[0], pixels.shape[1])
    streams = [
        family.encode(model, pixels, level)
        for family, model in ((factorised, fixed), (minnen2018_local, local), (balle2018, hyper))
    ]
    q, channels = factorised.read(fixed, [memoryview(s) for s in streams[0]], shape, level)
    largest = int(np.abs(q).max())
    first = int(channels.min())
    adaptive = counted(
        q, channels.astype(np.intp) - first, transform.bits_of_symbols(fixed, largest)[first : first + len(q)]
    )
    held = balle2018.read(hyper, [memoryview(s) for s in streams[2]], shape, level)
    np.testing.assert_array_equal(q, held.symbols)
    plain = [sum(map(len, some)) for some in streams]
    return np.array([plain[0], adaptive / 8, plain[1], plain[2], with_neighbours(hyper, held, level) / 8])


def with_neighbours(hyper: Model, held: balle2018.Held, level: int) -> float:
    """Return the ideal bits of what a stream of the hyperprior holds, where tables adapt to the neighbours too."""
    of_z = transform.bits_of_symbols(hyper, int(np.abs(held.z).max()))
    tables = transform.tables_by_channel(hyper, held.z.shape, level, balle2018.SCALES).astype(np.intp)
    side = float(of_z[tables, held.z.astype(np.intp) + of_z.shape[1] // 2].sum())
    coded = held.symbols.copy()
    coded[: len(held.centres)] -= held.centres.astype(np.int16)
    kinds = held.tables.astype(np.intp) * (len(EDGES) + 1) + places(coded)
    starts = transform.bits_of_symbols(hyper, int(np.abs(coded).max()))[: balle2018.SCALES].repeat(len(EDGES) + 1, 0)
    return side + counted(coded, kinds, starts)


def table(rows: npt.NDArray[np.float64]) -> str:
    """Return shares of the first rung as a Markdown table; rows: bytes (pictures, qualities, rungs)."""
    shares = 100 * rows.sum(0) / rows[:, :, :1].sum(0)
    of_files = 100 * (rows / rows[:, :, :1]).mean((0, 1))
    lines = [f"| prior | {' | '.join(map(str, QUALITIES))} | mean of all files |", "|---" * (len(QUALITIES) + 2) + "|"]
    for number, name in enumerate(RUNGS):
        cells = " | ".join(f"{share:.1f} %" for share in (*shares[:, number], of_files[number]))
        lines.append(f"| {name} | {cells} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the ladder on a folder of pictures, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="a folder of pictures")
    pictures = [some.numpy()[0] for some in whole_pictures(parser.parse_args(argv).pictures)]
    levels = [quality_to_level(quality) for quality in QUALITIES]
    rows = []
    for picture in pictures:
        rows.append([rungs(picture, level) for level in levels])
        print(len(rows), np.round(100 * np.mean([row / row[0] for row in rows[-1]], 0), 1), flush=True)
    print(table(np.array(rows)))


if __name__ == "__main__":
    main()
