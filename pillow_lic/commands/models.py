"""`lic models`: the models that this release writes and reads."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict
from typing import Any

SUMMARY = "List the models of this release: size, cost, rates, options, and which claims of their papers hold."
EXAMPLES = """
  lic models
  lic models --json
"""
WIDTH = 80
"""Characters of a line."""


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic models`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per model")


def run(args: argparse.Namespace) -> int:
    """Print a few lines for every model, oldest first."""
    from .. import claims
    from ..engine import models

    rows = [_row(model) for model in models.models()]
    if args.json:
        print("\n".join(json.dumps(row) for row in rows))
        return 0
    heads = "".join(f"{verdict.replace(' shown', ''):>9}" for verdict in claims.VERDICTS)
    print(f"{'model':18}{'number':>7}{'MB':>6}{'encode':>8}{'decode':>8} {'rates':6}{heads}")
    for row in rows:
        name = row["name"] + (" (default)" if row["default"] else "")
        found = [claim["verdict"] for claim in row["claims"]]
        counts = "".join(f"{found.count(verdict) if found else '-':>9}" for verdict in claims.VERDICTS)
        rates = "all" if row["rates"] == "continuous" else row["rates"]
        encode = "-" if row["superseded_by"] else f"{row['kmac_encode']:.1f}"
        work = f"{encode:>8}{row['kmac_decode']:>8.1f}"
        print(f"{name:18}{row['number']:>7}{row['bytes'] / 1e6:>6.1f}{work} {rates:6}{counts}")
        if row["superseded_by"]:
            print(f"  Its files can be opened for ever, but new ones are written by number {row['superseded_by']}.")
            continue
        options = [f"effort ({row['effort']} unless given)" if name == "effort" else name for name in row["options"]]
        quality = ["quality"] if row["bytes"] else []  # without a network every pixel is as it was
        extras = [name for name, has in (("drafts", row["drafts"]), ("cut", row["can_be_cut"])) if has]
        knows = ", ".join([*quality, *options, *extras])
        for text in (row["about"], f"Knows {knows or 'no option'}."):
            print(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  "))
    last = (
        "encode and decode are thousands of multiply-adds a pixel; `lic bench --codecs NAME` measures seconds. shown, in "
        "part and not count the claims of a paper: `lic papers` says which. drafts: thumbnails take less time than the picture; cut: "
        "`lic cut` makes files smaller."
    )
    print(textwrap.fill(last, WIDTH))
    return 0


def _row(model: Any) -> dict[str, Any]:
    """Return what is said of a model, as plain values that JSON can hold."""
    from .. import claims, families
    from ..engine import models
    from ..papers import tables

    family = families.of(model)
    paper = claims.of(model)
    return {
        "name": model.name,
        "number": model.number,
        "default": model is models.choose(None),
        "family": family.NAME,
        "about": claims.about(model),
        "bytes": tables.size(model),
        "kmac_encode": round(model.kmac_per_pixel("encoder"), 2),
        "kmac_decode": round(model.kmac_per_pixel("decoder"), 2),
        "rates": tables.rates(model),
        "options": sorted(family.OPTIONS),
        "effort": model.effort,
        "drafts": list(families.drafts(model)),
        "can_be_cut": families.is_progressive(model),
        "superseded_by": model.superseded_by,
        "claims": [] if paper is None else [asdict(claim) for claim in paper.claims],
    }
