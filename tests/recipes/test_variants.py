"""Variants of a recipe are compared by whole symbols and by tables of their own."""

from pathlib import Path

import numpy as np
import pytest
import torch

from onnx_models.recipes import agustsson2017, rippel2017, variants
from onnx_models.recipes.common.levels import nearest_anchor

LEVEL = torch.tensor([512.0])


def patch(seed: int) -> np.ndarray:
    """Return pixels (256, 256, 3) that are smooth, with some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3)).repeat(32, 0).repeat(32, 1)
    return (coarse + rng.normal(0, 6, coarse.shape)).clip(0, 255).astype(np.uint8)


def pictures(*seeds: int) -> torch.Tensor:
    return torch.from_numpy(np.stack([patch(seed) for seed in seeds]))


@torch.no_grad()
def test_bits_of_centres_are_those_of_the_histogram_of_the_samples(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = agustsson2017.Agustsson2017().eval()
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    x = pictures(1).permute(0, 3, 1, 2).float() / 255
    shown, needed = variants.agustsson(tmp_path / "weights.pt", [patch(1)])(x, LEVEL)
    assert shown.shape == x.shape
    counts = agustsson2017.counts(net, [patch(1)])[nearest_anchor(LEVEL)[0]]
    share = (counts + 0.5) / (counts + 0.5).sum(1, keepdims=True)
    assert needed == pytest.approx(-(counts * np.log2(share)).sum(), rel=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("without", [None, "pyramid"])
def test_bits_of_symbols_are_those_of_streams(without: str | None, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(rippel2017.Rippel2017(without).state_dict(), tmp_path / "weights.pt")
    coded = variants.rippel(tmp_path / "weights.pt", [patch(2)])
    points = variants.curve(coded, pictures(3, 4))
    assert len(points) == len(variants.LEVELS)
    shown, needed = coded(pictures(3).permute(0, 3, 1, 2).float() / 255, LEVEL)
    assert shown.shape == (1, 3, 256, 256)
    assert needed > 0
    assert needed % 8 == 0
