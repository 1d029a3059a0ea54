"""The parsers of `lic bench` and its commands: examples at the end of the help; the standard library only."""

from __future__ import annotations

import argparse
import textwrap


def parser(command: str, description: str, *examples: str) -> argparse.ArgumentParser:
    """Return a parser of what may follow a command, with a description and examples for its help."""
    return argparse.ArgumentParser(
        prog=command,
        description=textwrap.fill(description, 100),
        epilog="\n  ".join(["examples:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
