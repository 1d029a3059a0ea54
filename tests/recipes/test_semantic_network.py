"""The network of things learns from boxes, and is exported as it was trained."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from made.pictures import photo_like
from PIL import Image

from onnx_models.recipes.importance import gains
from onnx_models.recipes.importance import semantic as recipe
from pillow_lic import saving
from pillow_lic.importance import cues
from pillow_lic.importance.percentiles import percentiles


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """A list of ten pictures: grounds with a square of another colour, which is the box."""
    (tmp_path / "owner" / "name").mkdir(parents=True)
    lines = ["# source, path, boxes"]
    for i in range(10):
        pixels = photo_like(96, 144, 3, seed=i) // 4 + 40
        left, upper = 24 + 5 * i, 16 + 3 * i
        pixels[upper : upper + 48, left : left + 48] = photo_like(48, 48, 3, seed=90 + i) // 2 + [120, 20, 0]
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "owner" / "name" / f"{i}.png")
        sides = (left / 1.44, upper / 0.96, (left + 48) / 1.44, (upper + 48) / 0.96)
        lines.append(f"owner/name\t{i}.png\t{','.join(f'{side:.2f}' for side in sides)}")
    path = tmp_path / "boxes.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(boxes: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    small = ["--boxes", str(boxes), "--steps", "12", "--every", "4", "--batch", "4", "--width", "4", "--dropped", "0"]
    words = [str(boxes.parent), str(boxes.parent / "run"), *small, "--out", str(boxes.parent / "out"), *more]
    monkeypatch.setattr(sys, "argv", ["semantic", *words])
    recipe.main()


def test_one_run_and_one_with_a_fold_held_out(
    boxes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = boxes.parent / "out"
    out.mkdir()
    run(boxes, monkeypatch, "--fold", "1")
    assert "held out: 4 pictures, network: .lic" in capsys.readouterr().out
    assert not list(out.iterdir())
    run(boxes, monkeypatch)
    assert capsys.readouterr().out.count("gain") == 3
    entry = json.loads((out / "semantic.json").read_text())
    assert 0 < entry["kmac_per_pixel"] < 0.1
    assert (out / entry["file"]).exists()
    assert set(torch.load(boxes.parent / "run" / "semantic.pt")) == set(recipe.Semantic(4).state_dict())


def test_the_graph_computes_what_was_trained() -> None:
    torch.manual_seed(0)
    net = recipe.Semantic(8)
    for p in [*net.parameters(), net.mean, net.deviation]:
        p.data += 0.05 * torch.randn_like(p).abs()
    session = ort.InferenceSession(recipe.graph(net).SerializeToString(), providers=["CPUExecutionProvider"])
    features = cues.features(photo_like(300, 451, 3, seed=1), 16, 24)
    both = np.ascontiguousarray(np.stack([features, features[:, :, ::-1]]))
    got = session.run(None, {"features": both})[0]
    assert got.shape == (2, 1, 16, 24)
    expected = recipe.scores_of(net, torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(got[0, 0] + got[1, 0, :, ::-1], expected, atol=0.02)


def test_curves_are_those_of_files() -> None:
    pixels = photo_like(100, 150, 3, seed=2)
    found = gains.curves(pixels)
    assert found.bits.shape == found.errors.shape == (5, 7, 10)
    size = 8 * len(saving.encode(Image.fromarray(pixels), quality=6, exact=False))
    assert found.bits[2].sum().item() == pytest.approx(size, rel=0.1)
    assert (found.bits.sum((1, 2)).diff() > 0).all()
    assert (found.errors.exp().sum((1, 2)).diff() < 0).all()


def test_a_map_gains_by_what_it_moves_into_the_boxes() -> None:
    """Where every latent is alike, a map is worth what it does to those inside, and a flat one nothing."""
    slope = torch.arange(5.0)[None, :, None, None].expand(1, 5, 4, 6)
    some = gains.Curves(100 + 200 * slope, 12 - slope)
    inside = torch.zeros(1, 4, 6)
    inside[..., :3] = 1
    quality = torch.tensor([5.0])
    flat, right, wrong = (
        gains.in_lic(m, some, inside, quality).item() for m in (0 * inside, inside - 0.5, 0.5 - inside)
    )
    assert flat == pytest.approx(0, abs=1e-3)
    assert right == pytest.approx(-wrong, abs=0.01)
    half_a_curve = 10 * 0.5 / np.log(10)  # in dB: half of a percentile is a point of quality, and curves are two apart
    assert right == pytest.approx(half_a_curve, abs=0.01)


def test_the_fall_of_the_level_has_a_gradient() -> None:
    """A latent that costs others more than it gains inside is pushed down, one inside up."""
    steps = torch.arange(5.0)[None, :, None, None].expand(1, 5, 2, 2)
    dear = torch.tensor([[1.0, 1.0], [1.0, 8.0]])
    some = gains.Curves(50 * steps * dear + 10, 12 - steps)
    inside = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]])
    percentile = torch.zeros(1, 2, 2, requires_grad=True)
    gains.in_lic(percentile, some, inside, torch.tensor([5.0])).sum().backward()
    slopes = percentile.grad[0]
    assert slopes[0, 0] > 0 > slopes[0, 1] > slopes[1, 1]


def test_a_jpeg_gains_by_the_bits_inside() -> None:
    inside, variance = torch.zeros(1, 4, 6), torch.full((1, 4, 6), 0.01)
    inside[..., :3] = 1
    right = torch.from_numpy(percentiles(inside[0].numpy()))[None]
    best, worst = (gains.in_jpeg(sign * right, variance, inside).item() for sign in (1, -1))
    assert best == pytest.approx(gains.INSIDE * 0.5, rel=0.01)
    assert best == pytest.approx(-worst)
