"""A model leaves the recipes as the runtime wants it: its files code and read, and its tables fit what is coded."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onnx_models.recipes import encoders
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.export import Network, Placed, Release, add_extras, replace_encoders
from onnx_models.recipes.common.graph import Graph
from onnx_models.recipes.lic1 import (
    detail_numbers,
    export,
    histograms,
    mean_numbers,
    scale_numbers,
    scale_tables,
    synthesis_numbers,
)
from onnx_models.recipes.lic1.model import Lic1, Sizes
from pillow_lic.engine import entropy, models
from pillow_lic.families.lic1 import (
    analysis,
    detail,
    means,
    quantiser,
    residuals,
    scales,
    symbols,
    synthesis,
)
from pillow_lic.families.lic1.geometry import geometry

NUMBER = 4_000_000
"""No model's: sessions are kept by it."""


@pytest.fixture(scope="module")
def folder(patches: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    sizes = Sizes(a=48, a2=64, c=32, c2=48, m=64, z=16, p=32, s=32, analysis=1, synthesis=1)
    net = Lic1(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(-1, -5, 768), sizes).eval()
    out = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "load", lambda _: net)
        patch.setattr("sys.argv", ["export", "none.pt", f"{patches}", "--id", f"{NUMBER}", "--out", f"{out}"])
        export.main()
    return out


@pytest.fixture(scope="module")
def spec(folder: Path) -> models.Model:
    (entry,) = json.loads((folder / "manifest.json").read_text())["models"]
    files = {role: dataclasses.replace(Placed.of(file), folder=folder) for role, file in entry["files"].items()}
    return dataclasses.replace(models._model(entry), files=files)


def test_the_entry_says_who_runs_what(spec: models.Model) -> None:
    released = models.choose("lic1")
    assert {r: (f.side, f.exact) for r, f in spec.files.items()} == {
        r: (f.side, f.exact) for r, f in released.files.items()
    }
    assert list(spec.files) == list(released.files)
    assert export.constants_of(Sizes()) == released.constants
    changed = {name for name in spec.constants if spec.constants[name] != released.constants[name]}
    assert changed == {"latents", "hyper_latents", "halo", "reach"}
    assert spec.digest == hashlib.sha256(b"".join(bytes.fromhex(f.sha256) for f in spec.files.values())).digest()


def test_extras_stand_beside_a_model_that_is_there(spec: models.Model, folder: Path) -> None:
    graph = Graph("twice")
    y = graph.input("y", [1, 4, "h", "w"])
    graph.output(graph.conv(y, np.ones((2, 4, 1, 1), np.float32)), "z", [1, 2, "h", "w"])
    add_extras(folder, NUMBER, {"twice": Network(graph.model(), "decoder"), "layers": b"1234"})
    (entry,) = json.loads((folder / "manifest.json").read_text())["models"]
    assert entry["sha256"] == spec.digest.hex()
    assert entry["extras"]["twice"]["side"] == "decoder"
    assert entry["extras"]["twice"]["kmac_per_pixel"] == round(8 / 256 / 1000, 3)
    layers = dataclasses.replace(Placed.of(entry["extras"]["layers"]), folder=folder)
    assert (layers.side, layers.kmac_per_pixel, layers.read()) == ("decoder", None, b"1234")
    with pytest.raises(ValueError, match=f"--id must be one of {NUMBER}, got 1"):
        add_extras(folder, 1, {})


def test_encoders_are_replaced_while_the_hash_stays(tmp_path: Path) -> None:
    def graph(factor: float) -> Network:
        g = Graph("analysis")
        g.output(
            g.conv(g.input("y", [1, 4, "h", "w"]), np.full((2, 4, 1, 1), factor, np.float32)), "z", [1, 2, "h", "w"]
        )
        return Network(g.model(), "encoder")

    def entries() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((tmp_path / "manifest.json").read_text())["models"]
        return found

    first = Release(tmp_path, 1, "one", "one", {})
    made = first.networks({"analysis": graph(1)})
    first.enter(made | {"data": first.data("data.bin", b"12")})
    Release(tmp_path, 2, "one", "one", {}).enter(first.shared(1, ["analysis", "data"]))
    hashes = [entry["sha256"] for entry in entries()]
    for _ in range(2):
        replace_encoders(tmp_path, 2, {"analysis": graph(2)})
        old, new = entries()
        assert [old["sha256"], new["sha256"]] == hashes
        assert "file" not in old["files"]["analysis"]
        assert "file" not in new["files"]["analysis"]
        assert new["files"]["analysis"]["sha256"] == made["analysis"].sha256
        written = dataclasses.replace(Placed.of(new["extras"]["analysis"]), folder=tmp_path)
        assert written.read() == graph(2).graph.SerializeToString(deterministic=True)
        assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["analysis.onnx", "data.bin", "manifest.json"]
    with pytest.raises(ValueError, match="graphs must be of analysis, got data of number 2"):
        replace_encoders(tmp_path, 2, {"data": graph(2)})
    with pytest.raises(ValueError, match="graphs must be of a model, got analysis of number 3"):
        replace_encoders(tmp_path, 3, {"analysis": graph(2)})
    Release(tmp_path, 3, "one", "one", {}).enter({"data": Placed.of(entries()[0]["files"]["data"])})
    assert entries()[1]["extras"] == {}
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["data.bin", "manifest.json"]


def test_the_recipe_of_encoders_has_every_number_whose_encoder_was_replaced() -> None:
    replaced = {model.number: {*model.files} & {*model.extras} for model in models.models()}
    assert {number for number, roles in replaced.items() if roles} == set(encoders.GRAPHS)
    made = encoders.GRAPHS[25]()
    assert set(made) == replaced[25]
    for role, graph in made.items():
        assert graph.SerializeToString(deterministic=True) == models.choose(25).stored(role).read()


def test_numbers_of_native_layers_are_made_of_the_graph() -> None:
    released = models.choose("lic2")
    assert detail_numbers.numbers(released.stored("detail").read()) == released.stored(detail.NUMBERS).read()
    with pytest.raises(ValueError, match="layers of detail must be"):
        detail_numbers.numbers(models.choose("lic1").stored("detail").read())
    made = synthesis_numbers.numbers(released.stored("synthesis").read())
    assert made == released.stored(synthesis.NUMBERS).read()
    with pytest.raises(ValueError, match="must be rectified"):
        synthesis_numbers.numbers(models.choose("lic1").stored("synthesis").read())
    with pytest.raises(ValueError, match="layers of synthesis must be"):
        synthesis_numbers.numbers(released.stored("detail").read())
    assert scale_numbers.of_model(released) == released.stored(scales.NUMBERS).read()
    graphs = [released.stored(f"scales_{part}").read() for part in ("z", 0, 1, 2)]
    with pytest.raises(ValueError, match="layers of scales_0 must be"):
        scale_numbers.numbers(graphs[0], [models.choose("lic1").stored("scales_0").read(), *graphs[2:]])
    with pytest.raises(ValueError, match="layers of scales_z must be"):
        scale_numbers.numbers(models.choose("lic1").stored("scales_z").read(), graphs[1:])
    assert mean_numbers.of_model(released) == released.stored(means.NUMBERS).read()
    stages = [released.stored(f"means_{stage}").read() for stage in range(3)]
    with pytest.raises(ValueError, match="layers of means_1 must be"):
        mean_numbers.numbers(released.stored("means_z").read(), [stages[0], stages[0], stages[2]])
    with pytest.raises(ValueError, match=r"bent by 0\.1, got"):
        mean_numbers.numbers(released.stored("synthesis").read(), stages)


def test_what_it_codes_it_reads(spec: models.Model, patches: Path) -> None:
    grid = geometry(spec).grid(256, 240)
    pixels = Patches(patches).some(1)[0][:256, :256]
    for level in (100, 900):
        field = np.full(grid.shape, level, np.float32)
        y, z_hat = analysis.latents(spec, analysis.analyse(spec, pixels), field)
        chosen, y_hat = residuals.Choice(spec, z_hat, field, grid).of(y)
        payload = symbols.write(spec, z_hat, chosen, level)
        read_z, v, _ = symbols.read(spec, payload, level, field, grid)
        np.testing.assert_array_equal(read_z, z_hat)
        assert np.abs(y - y_hat)[:, :16, :15].max() < 2
        again = residuals.reconstruct(spec, read_z, v, field, grid.inside)
        np.testing.assert_allclose(again, y_hat, atol=1e-4)
        assert not again[:, :, 15:].any()
        numbers = np.concatenate([part.numbers for part in chosen])
        assert 0.2 < (numbers < quantiser.SCALES).mean() < 1


def test_tables_fit_what_was_counted(spec: models.Model, patches: Path) -> None:
    some = Patches(patches).some(4)
    seen = histograms.count(spec, some)
    assert seen.even.sum() + seen.odd.sum() == 4 * 64 * 256
    assert seen.z.sum() == 4 * 16 * 16
    assert seen.even.sum() > 0
    assert seen.odd.sum() > 0

    def bits(tables: entropy.Tables, odd: int) -> float:
        total = 0.0
        for counts, first in ((seen.even, 0), (seen.odd, odd)):
            for index, size in np.argwhere(counts[:, : histograms.SYMBOL_MAX]):
                pair = np.array([size], np.int16), np.array([first + index], np.uint16)
                total += counts[index, size] * tables.cost(*pair)
        return total

    gaussians = scale_tables.gaussian_tables()
    assert bits(spec.tables, quantiser.SCALES + 9 * 16) < 0.995 * bits(gaussians, quantiser.SCALES)
