"""Convert a folder of photos in two processes, with a line of progress; what was done before is skipped.

python batch_with_progress.py photos/ out/
"""

import sys

import pillow_lic


def show(result: pillow_lic.Result, finished: int, total: int) -> None:
    """Called after every file, in this process."""
    print(f"{finished}/{total} {result.outcome:8} {result.pair.source} {result.error}")


if __name__ == "__main__":  # worker processes import this file
    summary = pillow_lic.convert(sys.argv[1], sys.argv[2], workers=2, quality=7, progress=show)
    print(f"{summary.bytes_in:,} -> {summary.bytes_out:,} bytes in {summary.seconds:.1f} s")
    sys.exit(1 if summary.failed else 0)
