"""Read what became of each test, and compare two runs."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

Outcomes = dict[str, str]
"""Test name to "passed", "failed", "error" or "skipped"."""

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_STARTED = re.compile(r"^[\w.]+ \(([\w.]+)\)(?:$| \.\.\. )", re.MULTILINE)  # a docstring stands on a second line
_FAILED = re.compile(r"^(FAIL|ERROR): [\w.]+ \(([\w.]+)\)", re.MULTILINE)
_SKIPPED = re.compile(r"^[\w.]+ \(([\w.]+)\)(?:\n[^\n]*)? \.\.\. skipped ", re.MULTILINE)
_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)


def from_junit(report: Path) -> Outcomes:
    """Read the report that pytest writes; addresses in the names of parameters are blanked."""
    outcomes: Outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = _ADDRESS.sub("0x", f"{case.get('classname')}::{case.get('name')}")
        found = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[name] = {"failure": "failed"}.get(found[0], found[0]) if found else "passed"
    return outcomes


def from_unittest(log: str) -> Outcomes:
    """Read what unittest prints with -v; ValueError when it did not run to its end."""
    if not (ran := _RAN.search(log)):
        msg = "the run has no closing line"
        raise ValueError(msg)
    outcomes = {match[1]: "passed" for match in _STARTED.finditer(log)}
    outcomes |= {match[1]: "skipped" for match in _SKIPPED.finditer(log)}
    outcomes |= {match[2]: {"FAIL": "failed", "ERROR": "error"}[match[1]] for match in _FAILED.finditer(log)}
    if len(outcomes) < int(ran[1]):
        msg = f"{ran[1]} tests ran and only {len(outcomes)} of them were found in the output"
        raise ValueError(msg)
    return outcomes


def differences(before: Outcomes, after: Outcomes) -> dict[str, tuple[str, str]]:
    """Return the tests that came out otherwise, or ran in one of the two runs only, with both outcomes."""
    names = sorted(before.keys() | after.keys())
    pairs = {name: (before.get(name, "absent"), after.get(name, "absent")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def explanation(name: str, explained: dict[str, str]) -> str:
    """Return the reason written down for a test, "" if none is; patterns as of file names, [ ] standing for itself."""
    return next((why for pattern, why in explained.items() if fnmatchcase(name, pattern.replace("[", "[[]"))), "")
