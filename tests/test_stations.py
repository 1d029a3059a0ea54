"""`lic bench profile`: the stations of a picture add up, and are those that the networks and modules say."""

from pathlib import Path

import pytest
from PIL import Image

from pillow_lic.__main__ import main
from pillow_lic.bench import stations
from pillow_lic.engine import models


def test_a_network_is_a_station_by_its_role() -> None:
    assert stations.station_of("means_2", exact=False) == "means"
    assert stations.station_of("means_z", exact=False) == "means"
    assert stations.station_of("error_gradient", exact=False) == "error_gradient"
    assert stations.station_of("scales_2", exact=True) == stations.PARSE


def test_all_work_of_a_picture_is_in_the_table(photo: Image.Image) -> None:
    model = models.choose(None)
    encoding, decoding = stations.profile(photo, model, quality=5, effort=0, repeats=1)
    for found, side in ((encoding, "encoder"), (decoding, "decoder")):
        assert sum(row.kmac for row in found) == pytest.approx(model.kmac_per_pixel(side))
        assert all(row.milliseconds > 0 for row in found)
        assert len({row.station for row in found}) == len(found)
    assert {"synthesis", "means", stations.PARSE, stations.REST} <= {row.station for row in decoding}


def test_effort_runs_the_refinement_and_the_choice_again(photo: Image.Image) -> None:
    model = models.choose("lic1")
    encoding, _ = stations.profile(photo, model, quality=5, effort=2, repeats=1)
    kmac = {row.station: row.kmac for row in encoding}
    assert kmac["error_gradient"] == pytest.approx(2 * model.stored("error_gradient").kmac_per_pixel)
    assert kmac["means"] == pytest.approx(3 * sum(model.stored(f"means_{part}").kmac_per_pixel for part in "z0123"))


def test_command(photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.save(tmp_path / "a.png")
    assert main(["bench", "profile", str(tmp_path / "a.png"), "--repeats", "1"]) == 0
    said = capsys.readouterr().out
    for words in ("96x64", "GMAC/s in a matrix product", "encode", "decode", "synthesis", "all", "100.0%"):
        assert words in said
    assert main(["bench", "profile", str(tmp_path / "none.png")]) == 1
    assert "none.png" in capsys.readouterr().err
