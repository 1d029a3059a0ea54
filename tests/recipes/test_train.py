"""The loop learns, stops and goes on; the data are what the recipe says."""

import itertools
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from onnx_models.recipes.common import data, drawings
from onnx_models.recipes.common.gaussian import Clip
from onnx_models.recipes.common.pca import block_pca
from onnx_models.recipes.lic1 import train
from onnx_models.recipes.lic1.model import Lic1, Sizes

TINY = Sizes(a=32, a2=16, c=16, c2=16, m=32, z=8, p=16, s=16, k=3, analysis=1, synthesis=1)


def run(monkeypatch: pytest.MonkeyPatch, patches: Path, folder: Path, minutes: float, *more: str) -> list[str]:
    """With a clock on which every step takes 0.4 seconds."""
    seconds = itertools.count()
    monkeypatch.setattr(train, "time", SimpleNamespace(time=lambda: 0.4 * next(seconds)))
    monkeypatch.setattr(train, "Sizes", lambda: TINY)
    options = ["--minutes", str(minutes), "--batch", "2", "--crop", "64", "--every", "2", "--judge", "4"]
    monkeypatch.setattr(sys, "argv", ["train", str(patches), str(folder), *options, *more])
    train.main()
    return (folder / "log.txt").read_text().splitlines()


def test_learns_and_resumes(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path) -> None:
    first = run(monkeypatch, patches, tmp_path, 0.24)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 35
    assert "validation" in first[-1]
    again = run(monkeypatch, patches, tmp_path, 0.48)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 70
    assert again[: len(first)] == first
    torch.manual_seed(0)
    source = data.Patches(patches)
    components, variance = block_pca(source.some(1500))
    untrained = Lic1(torch.from_numpy(components), torch.from_numpy(variance).clamp_min(1e-8), TINY)
    before = train.validate(untrained, [source.validation()], torch.autocast("cpu", dtype=torch.bfloat16))[0]
    assert float(again[-1].split("validation ")[1].split()[0]) < before


def test_learns_structure(monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path) -> None:
    log = run(monkeypatch, patches, tmp_path, 0.1, "--crop", "192", "--structure", "0.5")
    assert "validation" in log[-1]
    assert "nan" not in "".join(log)


def test_a_loss_that_is_no_number_stops_the_run_before_it_is_saved(
    monkeypatch: pytest.MonkeyPatch, patches: Path, tmp_path: Path
) -> None:
    run(monkeypatch, patches, tmp_path, 0.05)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(train, "lambdas", lambda level, largest: level * math.nan)
    with pytest.raises(FloatingPointError, match=r"before step \d+; .*checkpoint\.pt is from before"):
        run(monkeypatch, patches, tmp_path, 0.48)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_importance_fields_are_flat_for_most_and_within_the_scale() -> None:
    rng = np.random.default_rng(0)
    base, field = train.random_level(400, 8, rng)
    assert field.min() >= 0
    assert field.max() <= 1024
    assert torch.equal(field, field.round())
    flat = (field == base.view(-1, 1, 1, 1)).flatten(1).all(1).float().mean()
    assert 0.55 < flat < 0.75


def test_crops_come_from_the_patches(patches: Path) -> None:
    source = data.Patches(patches)
    batch = source.batch(16, 64, np.random.default_rng(0))
    assert batch.shape == (16, 64, 64, 3)
    assert batch.dtype == torch.uint8
    assert len(torch.unique(batch.flatten(1), dim=0)) == 16
    assert len(source.validation()) == 1
    with pytest.raises(ValueError, match=r"crop must be at most \d+, the size of a patch, got 640"):
        source.batch(1, 640, np.random.default_rng(0))
    with pytest.raises(FileNotFoundError, match="build them with"):
        data.Patches(patches / "nowhere")


def test_enlarged_crops_are_softer(patches: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)

    def steepness(enlarged: float) -> float:
        source, rng = data.Patches(patches, enlarged), np.random.default_rng(1)
        crops = [source.crop(noise, 64, rng) for _ in range(30)]
        assert all(crop.shape == (64, 64, 3) for crop in crops)
        return float(np.mean([np.abs(np.diff(crop.astype(int), axis=0)).mean() for crop in crops]))

    assert steepness(1.0) < 0.9 * steepness(0.0)


def test_samples_are_of_each_size_in_turn_with_as_many_pixels(patches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = train.Samples(data.Patches(patches), [64, 128], 8, (1,))
    drawn = list(itertools.islice(iter(source), 4))
    assert [tuple(x.shape) for x, _, _ in drawn] == [(8, 64, 64, 3), (2, 128, 128, 3)] * 2
    assert [tuple(level.shape) for _, _, level in drawn] == [(8, 1, 4, 4), (2, 1, 8, 8)] * 2
    monkeypatch.setattr(train, "get_worker_info", lambda: SimpleNamespace(id=1))
    assert next(iter(source))[0].shape == (2, 128, 128, 3)
    monkeypatch.undo()
    again = list(itertools.islice(iter(source), 4))
    assert all(
        torch.equal(a, b) for one, other in zip(drawn, again, strict=True) for a, b in zip(one, other, strict=True)
    )


def test_workers_draw_unlike_samples(patches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    for worker in (SimpleNamespace(id=0), SimpleNamespace(id=1)):
        monkeypatch.setattr(train, "get_worker_info", lambda worker=worker: worker)
        batches.append(next(iter(train.Samples(data.Patches(patches), [64], 4, (1,))))[0])
    assert len(torch.unique(torch.cat(batches).flatten(1), dim=0)) == 8


def test_drawings_are_of_many_kinds_and_a_few_of_the_crops(patches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    drawn = [drawings.drawing(96, rng) for _ in range(60)]
    assert all(d.shape == (96, 96, 3) and d.dtype == np.uint8 for d in drawn)
    colors = np.array([len(np.unique(d.reshape(-1, 3), axis=0)) for d in drawn])
    assert (colors == 1).sum() >= 3
    assert (colors > 50).sum() >= 10
    calls = []
    monkeypatch.setattr(data, "drawing", lambda size, _: calls.append(size) or drawn[0])
    source, rng = data.Patches(patches), np.random.default_rng(0)
    crops = [source.crop(source[0], 96, rng) for _ in range(600)]
    assert 8 <= len(calls) <= 32
    assert sum(crop is drawn[0] for crop in crops) == len(calls)


def test_pca_rows_are_orthonormal_and_sorted(patches: Path) -> None:
    components, variance = block_pca(data.Patches(patches).some(8), 60)
    np.testing.assert_allclose(components @ components.T, np.eye(768), atol=1e-3)
    assert (np.diff(variance) <= 1e-6).all()
    assert variance[0] > 100 * variance[50]


def test_clip_lets_gradients_back_inside() -> None:
    x = torch.tensor([-1.0, 0.5, 2.0], requires_grad=True)
    Clip.apply(x, 0.0, 1.0).backward(torch.tensor([-1.0, -1.0, -1.0]))
    assert x.grad.tolist() == [-1, -1, 0]
