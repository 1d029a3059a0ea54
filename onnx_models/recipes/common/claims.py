"""The claims of a model in its card, as claims.json of the same folder has them.

    python -m onnx_models.recipes.common.claims onnx_models/balle2017-14

The card (README.md) holds the table between the lines BEGIN and END, which this replaces. What claims.json must have is said
in pillow_lic/claims.py. The parameters of the model's graphs, which claims.json has too, are counted and printed. The
page of all models (onnx_models/README.md) has a row for every published system between the same lines: it is written anew too.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import onnx

from pillow_lic import claims
from pillow_lic.engine import models
from pillow_lic.engine.models import Model
from pillow_lic.papers import tables

from .export import ONNX_MODELS

BEGIN, END = "<!-- claims.json -->", "<!-- end -->"


def markdown(paper: claims.Paper) -> str:
    """Return the table of a paper's claims."""
    lines = [f"| {' | '.join(row)} |" for row in (claims.HEAD, ["---"] * len(claims.HEAD), *claims.rows(paper))]
    return "\n".join(lines)


def read(folder: Path) -> claims.Paper:
    """Return the paper of a folder such as balle2017-14 or ntc2020; ValueError naming what is wrong in its claims.json."""
    name = folder.name.rpartition("-")[0] or folder.name
    return claims.parsed(name, json.loads((folder / claims.FILE).read_text("utf-8")))


def of_all() -> str:
    """Return the table of the published systems: the oldest paper first, each with what its model costs and how far its claims hold."""
    head = ("model", "idea", "MB", "kMAC/px encode, decode", "claims")
    rows = []
    others = claims.folders_of_others()
    for paper in claims.told(claims.papers()):
        if paper.model in others:
            folder, megabytes, work = others[paper.model], "-", "-"
        else:
            model = models.choose(paper.model)
            folder, megabytes = claims.folder_of(model), f"{tables.size(model) / 1e6:.1f}"
            work = ", ".join(f"{model.kmac_per_pixel(side):.1f}" for side in ("encoder", "decoder"))
        rows.append((f"[{paper.model}]({folder}/README.md)", paper.idea, megabytes, work, paper.verdicts))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def with_table(text: str, table: str) -> str:
    """Return a card or page with a table between BEGIN and END; ValueError where it has no such lines."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"a card must have the lines {BEGIN} and {END}, got none of {begin or BEGIN}, {end or END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def parameters(model: Model) -> int:
    """Return how many numbers the graphs of a model hold, factors of rows in 8 bits too; tensors of up to 8, such as shapes, do not count."""
    files = [file for role in model.files if (file := model.stored(role)).path.endswith(".onnx")]
    graphs = [onnx.load_from_string(file.read()).graph for file in files]
    sizes = [math.prod(tensor.dims) for graph in graphs for tensor in graph.initializer]
    return sum(size for size in sizes if size > 8)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    for folder in p.parse_args().folders:
        card = folder / "README.md"
        paper = read(folder)
        card.write_text(with_table(card.read_text("utf-8"), markdown(paper)), "utf-8")
        if paper.model not in claims.folders_of_others():
            model = models.choose(int(folder.name.rpartition("-")[2]))
            print(f"{card}: {parameters(model):,} parameters in the graphs")
    page = ONNX_MODELS / "README.md"
    page.write_text(with_table(page.read_text("utf-8"), of_all()), "utf-8")


if __name__ == "__main__":
    main()
