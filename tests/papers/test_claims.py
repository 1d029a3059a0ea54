"""What papers claim and what their models reach: the files are whole, and the cards say the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pillow_lic import claims, families
from pillow_lic.engine import models
from pillow_lic.engine.models import Model

FOLDER = Path(__file__).parents[2] / "onnx_models"
OWN = {"autoencoder", "lic1", "lic2", "lossless"}
"""The models that stand for no paper."""
PUBLISHED = [model for model in models.models() if model.name not in OWN and models.choose(model.name) is model]
"""The newest of each name: claims stand with it."""


def entry() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "balle2017-14" / claims.FILE).read_text("utf-8")))


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_every_published_system_says_what_was_reached(model: Model) -> None:
    paper = claims.of(model)
    assert paper is not None
    assert 1980 < paper.year < 2030
    assert paper.link.startswith("https://")
    assert paper.cut == families.is_progressive(model)


def test_a_model_of_our_own_claims_nothing() -> None:
    assert claims.of(models.choose("lic1")) is None
    assert {paper.model for paper in claims.papers()} == {model.name for model in PUBLISHED}


FOLDERS = {model.name: claims.folder_of(model) for model in PUBLISHED} | claims.folders_of_others()


@pytest.mark.parametrize("paper", claims.told(claims.papers()), ids=lambda paper: paper.model)
def test_the_card_has_the_same_table(paper: claims.Paper) -> None:
    """`python -m onnx_models.recipes.common.claims FOLDER` writes it."""
    card = (FOLDER / FOLDERS[paper.model] / "README.md").read_text("utf-8")
    (table,) = re.findall(r"<!-- claims.json -->\n(.*?)\n<!-- end -->", card, re.DOTALL)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert rows[0] == list(claims.HEAD)
    assert rows[2:] == [list(row) for row in claims.rows(paper)]


def test_the_page_of_all_models_has_every_system() -> None:
    pytest.importorskip("onnx")
    from onnx_models.recipes.common.claims import BEGIN, END, of_all

    page = (FOLDER / "README.md").read_text("utf-8")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == of_all()
    assert of_all().count("\n") == len(claims.told(claims.papers())) + 1


@pytest.mark.parametrize("model", PUBLISHED, ids=lambda model: model.name)
def test_parameters_are_those_of_the_graphs(model: Model) -> None:
    pytest.importorskip("onnx")
    from onnx_models.recipes.common.claims import parameters

    paper = claims.of(model)
    assert paper is not None
    assert paper.parameters == parameters(model)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"year": "2017"}, "year must be a whole number >= 0, got '2017'"),
        ({"year": True}, "year must be a whole number"),
        ({"hours": -1}, "hours must be a number >= 0, got -1"),
        ({"idea": ""}, "idea must be a text of 1 to 160 characters, got ''"),
        ({"idea": "x" * 161}, "idea must be a text of 1 to 160 characters"),
        ({"cut": "no"}, "cut must be true or false, got 'no'"),
        ({"claims": []}, "claims must have at least one row"),
        ({"other": 1}, "balle2017 must have model, system, "),
        ({"ladder": [{"prior": "fixed"}]}, r"balle2017: ladder\[0\] must have prior, percent"),
        ({"claims": [{"claim": "all"}]}, r"balle2017: claims\[0\] must have claim, pictures"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        claims.parsed("balle2017", entry() | change)


def test_a_verdict_is_one_of_three() -> None:
    wrong = entry()
    wrong["claims"][0]["verdict"] = "yes"
    with pytest.raises(ValueError, match="verdict must be one of shown, in part, not shown, got 'yes'"):
        claims.parsed("balle2017", wrong)


def test_verdicts_are_counted() -> None:
    some = entry()
    for claim, verdict in zip(some["claims"], ("shown", "not shown", "shown"), strict=True):
        claim["verdict"] = verdict
    assert claims.parsed("balle2017", some).verdicts == "2 shown, 1 not shown"


def test_systems_that_write_no_files_stand_among_the_others() -> None:
    told = claims.told(claims.papers())
    assert {paper.model for paper in told} - {paper.model for paper in claims.papers()} == {"semantic", "ntc2020"}
    assert [paper.year for paper in told] == sorted(paper.year for paper in told)
