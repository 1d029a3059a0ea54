"""The reliability campaign: one entry a promise, minutes each, by hand and before a release.

    python tests/campaign                        # all entries in full
    python tests/campaign mutation kill          # some
    python tests/campaign --share 0.01           # a hundredth of the cases of each

Prints the figures of every entry; exits 1 when one does not hold. `tests/checkout/test_campaign.py` runs a small share of the cheap ones.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "fuzz"))


def entries() -> dict[str, Callable[[float], str]]:
    """Return what runs a share of an entry and returns its figures, by the entry's name; AssertionError when it does not hold."""
    import damaged_files
    import environments
    import running_system

    modules = (damaged_files, running_system, environments)
    return {entry.__name__.replace("_", "-"): entry for module in modules for entry in module.ENTRIES}


def main() -> int:
    """Run the entries asked for and print what they found."""
    known = entries()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help=f"of {', '.join(known)}; default: all")
    parser.add_argument("--share", type=float, default=1.0, help="of the cases of each (default 1)")
    words = parser.parse_args()
    failed = 0
    for name in words.entries or known:
        if name not in known:
            parser.error(f"ENTRY must be one of {', '.join(known)}, got {name}")
        begun = time.monotonic()
        try:
            figures = known[name](words.share)
        except AssertionError as error:
            failed += 1
            figures = f"FAILED: {error}"
        print(f"{name}: {figures} ({time.monotonic() - begun:.0f} s)", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
