"""`lic bench`: speed and size of codecs."""

from __future__ import annotations

from collections.abc import Sequence

SUMMARY = "Measure speed and size; `lic bench coder` measures the range coder alone."


def main(words: Sequence[str]) -> int:
    """Run `lic bench` or `lic bench coder` with its own words."""
    from ..bench import coder, measurement

    return coder.main(words[1:]) if words[:1] == ["coder"] else measurement.main(words)
