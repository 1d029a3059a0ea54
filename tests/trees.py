"""Trees of files for tests that look at names alone."""

import os
from pathlib import Path

from pillow_lic.batch.plan import Pair


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(pairs: list[Pair], base: Path) -> list[tuple[str, str]]:
    return [(os.fspath(p.source.relative_to(base)), os.fspath(p.target.relative_to(base))) for p in pairs]
