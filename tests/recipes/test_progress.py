"""The log of a run reads as one story, also over several runs."""

import pytest

from onnx_models.recipes.common import progress

LOG = """step 500  2.2 min  lr 7.00e-04  loss 0.3844  bpp 1.798  psnr 32.48
step 700  3.0 min  lr 0.00e+00  loss 0.3733  bpp 1.700  psnr 32.50  validation 0.3500 0.210/30.07 1.988/40.43
step 700  1.5 min  lr 4.00e-04  loss 0.3600  bpp 1.600  psnr 32.60  validation 0.3400 0.200/30.10 1.900/40.50
"""


def test_runs_follow_each_other() -> None:
    entries = progress.read(LOG.splitlines())
    assert [e.step for e in entries] == [500, 700, 1400]
    assert entries[-1].minutes == pytest.approx(4.5)
    assert entries[0].judged is None
    assert entries[-1].curve == ((0.2, 30.1), (1.9, 40.5))


def test_table_and_picture_show_what_was_judged() -> None:
    entries = progress.read(LOG.splitlines())
    assert progress.table(entries).splitlines()[2:] == [
        "| 700 | 3 | 0.3733 | 0.3500 | 0.210/30.07 1.988/40.43 |",
        "| 1400 | 4 | 0.3600 | 0.3400 | 0.200/30.10 1.900/40.50 |",
    ]
    picture = progress.picture(entries)
    assert picture.startswith("<svg")
    assert picture.count("<polyline") == 4


def test_runs_are_compared_by_their_last_judgements() -> None:
    """Of twice the bits the quality is 3 dB more, everywhere."""
    line = "step 8  1.0 min  lr 1.00e-04  loss 0.5  bpp 1.0  psnr 30.00  validation {} {}"
    curve, less = (" ".join(f"{share * 0.1 * 2**k:.3f}/{30 + 3 * k}" for k in range(5)) for share in (1, 0.8))
    runs = {
        name: progress.read([line.format(*said)]) for name, said in {"on": ("0.4", curve), "off": ("0.3", less)}.items()
    }
    rows = [[cell.strip() for cell in row.split("|")[1:5]] for row in progress.compared(runs).splitlines()[2:]]
    assert rows == [["on", "8", "0.4000", "+0.0 %"], ["off", "8", "0.3000", "-20.0 %"]]


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="got 'step one'"):
        progress.read(["step one"])


def test_the_committed_log_reads() -> None:
    log = (progress.Path(progress.__file__).parents[1] / "lic1" / "lic1.log").read_text()
    assert progress.read(log.splitlines())[-1].judged is not None
