"""A small share of the campaign's cheap entries; `python tests/campaign` runs all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parents[1] / "campaign"


@pytest.mark.parametrize(
    ("entry", "share"), [("truncation", 0.2), ("mutation", 0.01), ("bombs", 1), ("kill", 0.03), ("disk", 1)]
)
def test_entry(entry: str, share: float) -> None:
    done = subprocess.run(
        [sys.executable, CAMPAIGN, entry, "--share", str(share)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{entry}: ")
