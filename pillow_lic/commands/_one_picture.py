"""One picture of any format that becomes one file, or goes to standard output: `lic encode`, and `lic restore` with a "-"."""

from __future__ import annotations

import argparse
import sys
import time

from . import _terminal, _words


def contradicts(target: str, suffix: str, to: str | None) -> bool:
    """Say so and return True if --to is of another format than the target, which gets that suffix."""
    from ..batch import formats

    if to and formats.format_of(suffix) != formats.format_of(f".{to.lower().lstrip('.')}"):
        print(f"lic: --to must be the format of the target {target}, got {to}", file=sys.stderr)
        return True
    return False


def write(args: argparse.Namespace, source: str, name: str, suffix: str, restored: int = 0) -> int:
    """Write a picture to the target of that name in the format of `suffix`, and say its bytes, quality and seconds; 2 if it must not be.

    args: save options, adjustments, `force` and `verbose`. restored: as of `transcode.Transcoder`.
    """
    from ..batch import conversion, formats, transcode
    from ..batch.adjustment import Adjustment

    target = _words.target(source, name, suffix)
    if _words.refuses(source, target, args.force):
        return 2
    begun = time.perf_counter()
    work = transcode.Transcoder(
        suffix,
        conversion.checked_options(suffix, _words.save_options(args)),
        not args.strip,
        Adjustment.of(**_words.adjustments(args)),
        args.verbose,
        restored=restored,
    )
    with _terminal.naming(source), formats.open_picture(_words.source(source)) as im:
        picture = work.prepare(im)
        data = work.encode(picture)
        made = work.made(picture, data)
    _words.write(target, data, name)
    pixels = picture.image.width * picture.image.height
    words = [f"{len(data):,} bytes", f"{8 * len(data) / pixels:.3f} bpp", *made.words()]
    _words.report(target, ", ".join([*words, f"{time.perf_counter() - begun:.2f} s"]))
    return 0
