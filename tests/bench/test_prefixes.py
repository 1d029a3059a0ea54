"""`lic bench prefixes`: what the first bytes of files show."""

from pathlib import Path

import numpy as np
import pytest
from families.coded import cat
from PIL import Image, ImageFile

from pillow_lic.__main__ import main
from pillow_lic.bench import prefixes

PIXELS = np.ascontiguousarray(cat()[:128, 100:260])
CODECS = {codec.name: codec for codec in prefixes.codecs()}


def test_every_model_that_can_be_cut_is_there_and_jpeg() -> None:
    assert {"lic1", "lic2", "toderici2017", "JPEG"} <= CODECS.keys()
    assert "balle2017" not in CODECS


@pytest.mark.parametrize("name", ["toderici2017", "JPEG"])
def test_more_bytes_show_more(name: str) -> None:
    points = prefixes.curve(CODECS[name], [PIXELS])
    bits, reached = zip(*points, strict=True)
    assert list(bits) == sorted(bits)
    assert bits[-1] <= prefixes.BPP
    assert reached[-1] > reached[0] + 3
    assert (
        name == "JPEG" or np.diff(reached).min() > -0.2
    )  # where a scan of a JPEG file begins, Pillow may lose the picture
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_the_command_draws_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prefixes, "codecs", lambda: [CODECS["toderici2017"], CODECS["JPEG"]])
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    assert main(["bench", "prefixes", str(tmp_path), "--out", str(tmp_path / "a.svg")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("| model | bpp | 5% | 10% |")
    assert [line.split("|")[1].strip() for line in said[2:]] == ["toderici2017", "JPEG"]
    assert (tmp_path / "a.svg").read_text().count('data-series="JPEG"') == 2
    (tmp_path / "a.png").unlink()
    assert main(["bench", "prefixes", str(tmp_path)]) == 1


@pytest.mark.parametrize(("name", "said"), [("a.png", "--out must name a .svg file"), ("none/a.svg", "No such file")])
def test_a_drawing_that_cannot_be_is_refused_before_it_is_measured(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prefixes, "codecs", lambda: pytest.fail("it was measured"))
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    assert main(["bench", "prefixes", str(tmp_path), "--out", str(tmp_path / name)]) == 1
    assert said in capsys.readouterr().err
    with Image.open(tmp_path / "a.png") as im:
        assert im.size == (PIXELS.shape[1], PIXELS.shape[0])
