"""`lic models`: the models that this release writes and reads."""

from __future__ import annotations

import argparse
import json
from typing import Any

SUMMARY = "List the models of this release: what writes .lic files, its size, its work, and what it knows."
EXAMPLES = """
  lic models
  lic models --json
"""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic models`."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def run(args: argparse.Namespace) -> int:
    """Print a line for every model, oldest first."""
    from ..engine import models

    rows = [_row(model) for model in models.models()]
    if args.json:
        print("\n".join(json.dumps(row) for row in rows))
        return 0
    print(f"{'model':20}{'number':>7}{'MB':>7}{'encode':>9}{'decode':>9}  knows")
    for row in rows:
        name = row["name"] + (" (default)" if row["default"] else "")
        knows = ", ".join(["quality", *row["options"], *(["drafts"] if row["drafts"] else [])])
        print(
            f"{name:20}{row['number']:>7}{row['bytes'] / 1e6:>7.1f}{row['kmac_encode']:>9.1f}{row['kmac_decode']:>9.1f}  {knows}"
        )
        print(f"  {row['about']}")
    print("encode and decode are thousands of multiply-adds a pixel; `lic bench --codecs NAME` measures a model")
    return 0


def _row(model: Any) -> dict[str, Any]:
    """Return what is said of a model, as plain values that JSON can hold."""
    from .. import families
    from ..engine import models

    family = families.of(model)
    about = (family.__doc__ or "").partition("\n")[0].partition(": ")[2]
    return {
        "name": model.name,
        "number": model.number,
        "default": model is models.choose(None),
        "family": family.NAME,
        "about": about,
        "bytes": sum(len(model.stored(role).read()) for role in (*model.files, *model.extras)),
        "kmac_encode": round(model.kmac_per_pixel("encoder"), 2),
        "kmac_decode": round(model.kmac_per_pixel("decoder"), 2),
        "options": sorted(family.OPTIONS),
        "drafts": list(families.drafts(model)),
    }
