"""What the command shows of its progress, on a terminal and in a log."""

import io
import os
from pathlib import Path

import pytest

from commands.command_line import run
from pillow_lic.batch import progress
from pillow_lic.batch.plan import Pair
from pillow_lic.batch.results import Result


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def result(outcome: str, size: int = 0) -> Result:
    return Result(Pair(Path("a"), Path("b")), outcome, size)  # type: ignore[arg-type]


def test_progress_on_a_terminal_only() -> None:
    for stream, shown, expected in ((Terminal(), True, True), (io.StringIO(), True, False), (Terminal(), False, False)):
        line = progress.ProgressLine(stream, shown)
        line.update(result("done", 10), 1, 1)
        line.close()
        assert ("1/1" in stream.getvalue()) == expected
        assert stream.getvalue().endswith("\n") == expected


def test_what_is_wrong_is_said_below_the_progress(
    png: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run("convert", png, png.parent / "out", "--budget", 1) == 1
    drawn, said = capsys.readouterr().err.splitlines()[-2:]
    assert "1/2" in drawn
    assert said.startswith("lic: budget must be at least ")


def test_progress_estimate_counts_work_only() -> None:
    line = progress.ProgressLine(io.StringIO())
    assert line.text(0, 10, 0.0).endswith("- left")
    for number in range(10):
        line.update(result("skipped"), number + 1, 40)
    for number in range(10):
        line.update(result("done", 2_000_000), number + 11, 40)
    assert line.text(20, 40, 5.0) == "[##########          ] 20/40  2.0/s  4.0 MB/s  0:10 left"
    assert line.text(20, 40, 5000.0).endswith("2:46:40 left")


@pytest.mark.parametrize("columns", [0, 1, 20, 200])
def test_the_progress_fits_into_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is wrapped cannot be drawn over."""
    stream = Terminal()
    monkeypatch.setattr(stream, "fileno", lambda: 2)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    line = progress.ProgressLine(stream)
    line.update(result("done", 10), 1, 1)
    drawn = stream.getvalue().removeprefix("\r").removesuffix("\x1b[K")
    assert len(drawn) < columns or (columns < 2 and "1/1" in drawn)
