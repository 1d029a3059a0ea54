"""`lic models`: a line for every model, in words and as JSON."""

import json

import pytest

from pillow_lic.__main__ import main
from pillow_lic.engine import models


def test_every_model_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert said.count("effort (1 unless given)") == said.count("effort (0 unless given)") == 1
    assert said.count("Knows no option.") == 1  # lossless
    assert said.count("The default model, ") == said.count("The model of the smallest files, ") == 1
    assert "](" not in said
    lines = said.splitlines()
    for model in models.models():
        (row,) = [line for line in lines if line.split()[:1] == [model.name] and str(model.number) in line.split()]
        assert ("(default)" in row) == (model is models.choose(None))
        words = f"  Its files can be opened for ever, but new ones are written by number {model.superseded_by}."
        assert (lines[lines.index(row) + 1] == words) == (model.superseded_by is not None)


def test_json_has_the_same_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["number"]) for row in rows] == [(m.name, m.number) for m in models.models()]
    default = next(row for row in rows if row["default"])
    assert default["name"] == models.DEFAULT
    assert [row["superseded_by"] for row in rows] == [model.superseded_by for model in models.models()]
    assert default["options"] == ["effort", "importance", "preview", "roi"]
    assert {row["name"]: row["rates"] for row in rows if row["name"] in ("lic2", "lossless", "johnston2018")} == {
        "lic2": "continuous",
        "lossless": "1",
        "johnston2018": "8",
    }
    assert {row["name"]: row["effort"] for row in rows if row["effort"]} == {"lic2": 1}
    assert "Priming and Spatially Adaptive Bit Rates" in next(r["about"] for r in rows if r["name"] == "johnston2018")
    assert default["kmac_decode"] == pytest.approx(models.choose(None).kmac_per_pixel("decoder"), abs=0.01)
    assert all(
        row["about"] and (row["bytes"] > 0) == bool(model.files)
        for row, model in zip(rows, models.models(), strict=True)
    )
