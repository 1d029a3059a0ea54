"""`lic bench`: speed and size of codecs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

SUMMARY = (
    "Measure speed and size; `lic bench coder` measures the coders alone, `lic bench profile` each station of a picture, "
    "`lic bench boxes` what importance gives its objects, `lic bench restore` what JPEG pictures gain, "
    "`lic bench prefixes` what the first bytes of a file show."
)


def add_words(parser: argparse.ArgumentParser) -> None:
    """Add what may follow `lic bench`, for a shell that completes words: `main` reads its own."""
    from ..bench import measurement

    measurement.add_words(parser)


def main(words: Sequence[str]) -> int:
    """Run `lic bench`, or one of its commands, with its own words."""
    if words[:1] == ["boxes"]:
        from ..bench import boxes

        return boxes.main(words[1:])
    if words[:1] == ["restore"]:
        from ..bench import restoration

        return restoration.main(words[1:])
    if words[:1] == ["prefixes"]:
        from ..bench import prefixes

        return prefixes.main(words[1:])
    if words[:1] == ["profile"]:
        from ..bench import stations

        return stations.main(words[1:])
    from ..bench import coder, measurement

    return coder.main(words[1:]) if words[:1] == ["coder"] else measurement.main(words)
