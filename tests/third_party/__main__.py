"""Run the suites of other projects, unchanged, with .lic registered: python tests/third_party [SUITE...] --work FOLDER."""

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path

from outcomes import differences, explanation
from suites import SUITES, Suite
from workshop import Workshop


def check(suite: Suite, shop: Workshop, *, again: bool) -> bool:
    """Run one suite both ways, print what differs, and tell whether every difference has its reason written down."""
    shop.install(suite)
    tree = shop.with_additions(suite, shop.source(suite), again=again)
    before = shop.run(suite, tree, "without", plugin=False, saves=False, again=again)
    if suite.compare == "disguised":
        tree = shop.disguised(suite, tree, again=again)
    after = shop.run(suite, tree, suite.compare, plugin=True, saves=suite.saves, again=again)
    differ = differences(before, after)
    explained = {name: explanation(name, suite.explained) for name in differ}
    for name, (was, now) in differ.items():
        print(f"  {name}: {was} -> {now}: {explained[name] or 'NOT EXPLAINED'}")
    ours = Counter(after.values())
    counts = ", ".join(f"{ours[outcome]} {outcome}" for outcome in ("passed", "failed", "error", "skipped"))
    unexplained = sum(not why for why in explained.values())
    name = f"{suite.name} ({suite.source.name} {suite.source.version})"
    print(f"{name}: {len(after)} tests {suite.compare}: {counts}; {len(differ)} differ, {unexplained} not explained")
    return not unexplained and bool(after)


def main() -> int:
    """Return 0 when all suites named ran and nothing differs without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=", ".join(suite.name for suite in SUITES))
    parser.add_argument("--work", type=Path, default=Path("/tmp/lic-third-party"), help="default: %(default)s")
    parser.add_argument("--again", action="store_true", help="run again what has a report in the work folder")
    options = parser.parse_args()
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no suite {', '.join(sorted(unknown))}; there are {', '.join(suite.name for suite in SUITES)}")
    shop = Workshop(options.work)
    shop.make_environment(again=options.again)
    good = True
    for suite in SUITES:
        if options.suites and suite.name not in options.suites:
            continue
        try:
            good &= check(suite, shop, again=options.again)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            print(f"{suite.name}: did not run: {error}")
            good = False
        sys.stdout.flush()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
