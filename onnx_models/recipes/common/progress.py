"""The log of a training run as a table and a picture.

    python -m onnx_models.recipes.common.progress onnx_models/recipes/lic1/lic1.log --out progress.svg

A log is what `train.py` appends: one line every so many steps, some of them with a judgement of the averaged weights. Logs of runs that
went on from each other are given in order; a line with fewer minutes than the one before it begins the next run.

`--variants` compares the last judgements of equal runs instead, each with a log of its own, against the first of them.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pillow_lic.bench.charts import Panel, svg
from pillow_lic.metrics import bd_rate

LINE = re.compile(r"step (\d+)  ([\d.]+) min  lr (\S+)  loss (\S+)  bpp (\S+)  psnr (\S+)(?:  validation (\S+) (.*))?$")


@dataclass(frozen=True)
class Entry:
    """One line of a log: steps and minutes over all runs; loss, bpp, PSNR in dB of the crops; the judgement's loss and (bpp, PSNR)."""

    step: int
    minutes: float
    loss: float
    bpp: float
    psnr: float
    judged: float | None
    curve: tuple[tuple[float, float], ...]


def read(lines: Iterable[str]) -> list[Entry]:
    """Return the entries of a log; ValueError naming a line that is none."""
    entries: list[Entry] = []
    steps, minutes = 0, 0.0
    for line in lines:
        match = LINE.match(line.rstrip())
        if match is None:
            raise ValueError(f"a line of a training log must be like {LINE.pattern!r}, got {line.rstrip()!r}")
        step, spent, _, loss, bpp, psnr, judged, curve = match.groups()
        if entries and minutes + float(spent) < entries[-1].minutes:
            steps, minutes = entries[-1].step, entries[-1].minutes
        points = tuple((float(b), float(p)) for b, p in (point.split("/") for point in (curve or "").split()))
        entries.append(
            Entry(
                steps + int(step),
                minutes + float(spent),
                float(loss),
                float(bpp),
                float(psnr),
                float(judged) if judged else None,
                points,
            )
        )
    return entries


def table(entries: list[Entry]) -> str:
    """Return the judged entries as a Markdown table."""
    rows = ["| steps | minutes | loss | validation loss | bpp/PSNR at five levels |", "|---|---|---|---|---|"]
    for e in entries:
        if e.judged is not None:
            curve = " ".join(f"{b:.3f}/{p:.2f}" for b, p in e.curve)
            rows.append(f"| {e.step} | {e.minutes:.0f} | {e.loss:.4f} | {e.judged:.4f} | {curve} |")
    return "\n".join(rows)


def compared(runs: Mapping[str, list[Entry]]) -> str:
    """Return the last entries of runs by name, which are judged, as a Markdown table, with BD-rates against the first run."""
    rows = [
        "| run | steps | validation loss | bits at equal quality | bpp/PSNR at five levels |",
        "|---|---|---|---|---|",
    ]
    last = {name: entries[-1] for name, entries in runs.items()}
    first = next(iter(last.values()))
    for name, e in last.items():
        curve = " ".join(f"{b:.3f}/{p:.2f}" for b, p in e.curve)
        rows.append(f"| {name} | {e.step} | {e.judged:.4f} | {bd_rate(first.curve, e.curve):+.1f} % | {curve} |")
    return "\n".join(rows)


def picture(entries: list[Entry]) -> str:
    """Return an SVG of the loss, and of the PSNR at every judged level, over steps."""
    judged = [e for e in entries if e.judged is not None]
    losses = {
        "training crops": [(e.step, e.loss) for e in entries],
        "validation": [(e.step, e.judged or 0) for e in judged],
    }
    levels = {
        f"curve at {e.step} steps": list(e.curve) for e in (judged if len(judged) < 4 else [judged[0], judged[-1]])
    }
    return svg(
        [
            Panel("Loss", "steps", "loss", {k: v for k, v in losses.items() if v}),
            Panel("Judged pictures", "bpp", "PSNR (dB)", levels),
        ]
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("logs", type=Path, nargs="+")
    p.add_argument("--out", type=Path, help="the SVG file to write")
    p.add_argument("--variants", action="store_true", help="compare runs instead, named by their folders")
    a = p.parse_args()
    if a.variants:
        print(compared({log.parent.name: read(log.read_text().splitlines()) for log in a.logs}))
        return
    entries = read(line for log in a.logs for line in log.read_text().splitlines())
    print(table(entries))
    if a.out:
        a.out.write_text(picture(entries))


if __name__ == "__main__":
    main()
