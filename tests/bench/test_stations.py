"""`lic bench profile`: the stations of a picture add up, and are those that the networks and modules say."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pillow_lic.__main__ import main
from pillow_lic.bench import stations
from pillow_lic.engine import models, runtime
from pillow_lic.engine.settings import current_settings
from pillow_lic.families.lic1 import analysis


def test_a_network_is_a_station_by_its_role() -> None:
    assert stations.station_of("means_2", exact=False) == "means"
    assert stations.station_of("means_z", exact=False) == "means"
    assert stations.station_of("error_gradient", exact=False) == "error_gradient"
    assert stations.station_of("scales_2", exact=True) == stations.PARSE


def test_every_module_of_a_station_is_there() -> None:
    package = Path(stations.__file__).parent.parent
    for place in stations.STATIONS:
        assert (package / place).is_dir() or (package / f"{place}.py").is_file(), place
    assert stations.station_at(str(package / "families" / "lic1" / "passes.py")) == "symbols"
    assert stations.station_at(str(package / "engine" / "runtime.py")) is None
    assert stations.station_at(analysis.__file__) is None


def test_time_of_a_network_is_at_its_station_whatever_the_engine_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that spins a while, and has the settings asked while it does; what the clock itself takes is nobody's."""
    spent = 0.02

    class Session:
        def run(self, names: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
            end = time.thread_time() + spent
            while time.thread_time() < end:
                current_settings()
            return [feeds["a"]]

    monkeypatch.setattr(runtime, "_session", lambda networks, role: Session())
    clock, model = stations.Clock(), models.choose("lic2")

    def work() -> None:
        for role in ("synthesis", "means_1", "scales_1", "scales_2"):
            model.run(role, a=np.zeros(1))

    clock.time(work)
    assert set(clock.roles) == {"synthesis", "means_1", "scales_1", "scales_2"}
    assert clock.seconds["synthesis"] > spent / 2
    assert clock.seconds["means"] > spent / 2
    assert clock.seconds[stations.PARSE] > spent
    assert clock.seconds[stations.REST] < spent / 2
    assert set(clock.seconds) == {"synthesis", "means", stations.PARSE, stations.REST}


def test_no_network_is_quicker_than_the_processor(cat: np.ndarray) -> None:
    """Native code in 16 bits does twice as many multiply-adds at most as one in float32; halos do not count."""
    encoding, decoding = stations.profile(Image.fromarray(cat), models.choose("lic2"), quality=5, effort=1, repeats=3)
    most = 4 * stations.peak()
    for found in (encoding, decoding):
        networks = [row for row in found if row.kmac]
        assert all(row.rate < most for row in networks), stations.table("found", found)
        assert sum(row.milliseconds for row in networks) > 0.4 * sum(row.milliseconds for row in found)
        stated = {*stations.STATIONS.values(), *(row.station for row in networks), stations.REST}
        assert {row.station for row in found} <= stated


def kmac(name: str, *roles: str) -> float:
    return sum(models.choose(name).stored(role).kmac_per_pixel or 0 for role in roles)


def in_passes(*parts: str) -> list[str]:
    """The roles of networks that run whenever symbols are chosen."""
    return [f"{kind}_{part}" for kind in ("means", "scales") for part in parts]


@pytest.mark.parametrize(("name", "again"), [("lic1", []), ("lic2", ["synthesis", "detail", *in_passes("1", "2")])])
def test_all_work_of_a_picture_is_in_the_table(name: str, again: list[str], photo: Image.Image) -> None:
    """At the model's own effort; an encoder of lic2 draws the picture once, for its step and for its filter, and chooses twice."""
    model = models.choose(name)
    encoding, decoding = stations.profile(photo, model, quality=5, effort=model.effort, repeats=1)
    for found, expected in (
        (encoding, model.kmac_per_pixel("encoder") + kmac(name, *again)),
        (decoding, model.kmac_per_pixel("decoder")),
    ):
        assert sum(row.kmac for row in found) == pytest.approx(expected)
        assert all(row.milliseconds > 0 for row in found)
        assert len({row.station for row in found}) == len(found)
    assert {"synthesis", "means", stations.PARSE, stations.REST} <= {row.station for row in decoding}


@pytest.mark.parametrize(("name", "passes"), [("lic1", "123"), ("lic2", "12")])
def test_effort_runs_the_refinement_and_the_choice_again(name: str, passes: str, photo: Image.Image) -> None:
    """lic2, whose gradient is that of pixels, draws the picture for each step."""
    encoding, _ = stations.profile(photo, models.choose(name), quality=5, effort=2, repeats=1)
    found = {row.station: row.kmac for row in encoding}
    if name == "lic1":
        assert found["error_gradient"] == pytest.approx(2 * kmac(name, "error_gradient"))
        assert "synthesis" not in found
    else:
        assert found["synthesis"] == pytest.approx(2 * kmac(name, "synthesis", "detail"))
    assert found["means"] == pytest.approx(
        kmac(name, "means_z", "means_0") + 3 * kmac(name, *(f"means_{part}" for part in passes))
    )


def test_effort_0_is_a_step_of_the_quick_analysis(photo: Image.Image) -> None:
    encoding, _ = stations.profile(photo, models.choose("lic2"), quality=5, effort=0, repeats=1)
    once, _ = stations.profile(photo, models.choose("lic2"), quality=5, effort=1, repeats=1)
    least, most = (sum(row.kmac for row in found) for found in (encoding, once))
    assert most - least == pytest.approx(kmac("lic2", "analysis") - kmac("lic2", analysis.QUICK))


def test_command(photo: Image.Image, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo.save(tmp_path / "a.png")
    assert main(["bench", "profile", str(tmp_path / "a.png"), "--repeats", "1"]) == 0
    said = capsys.readouterr().out
    for words in ("96x64", "GMAC/s in a matrix product", "encode", "decode", "synthesis", "all", "100.0%"):
        assert words in said
    assert main(["bench", "profile", str(tmp_path / "none.png")]) == 1
    assert "none.png" in capsys.readouterr().err
