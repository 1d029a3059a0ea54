"""`lic bench`: speed and size of codecs."""

from __future__ import annotations

from collections.abc import Sequence

SUMMARY = "Measure speed and size; `lic bench coder` measures the coders alone, `lic bench profile` each station of a picture."


def main(words: Sequence[str]) -> int:
    """Run `lic bench`, `lic bench coder` or `lic bench profile` with its own words."""
    if words[:1] == ["profile"]:
        from ..bench import stations

        return stations.main(words[1:])
    from ..bench import coder, measurement

    return coder.main(words[1:]) if words[:1] == ["coder"] else measurement.main(words)
