"""The similarity that a loss can be made of is the one that `lic bench` reports."""

import numpy as np
import pytest
import torch

from onnx_models.recipes.common import similarity
from onnx_models.recipes.common.levels import LEVEL_MAX
from onnx_models.recipes.lic1 import train
from pillow_lic import metrics


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    """A picture of 192x192 with structure at every scale, and the same with an error at every scale."""
    rng = np.random.default_rng(0)
    picture, error = np.zeros((192, 192, 3)), np.zeros((192, 192, 3))
    for cell in (1, 4, 16):
        size = (192 // cell, 192 // cell, 3)
        picture += rng.normal(0, 25, size).repeat(cell, 0).repeat(cell, 1)
        error += rng.normal(0, 3, size).repeat(cell, 0).repeat(cell, 1)
    return tuple((128 + v).clip(0, 255).astype(np.uint8) for v in (picture, picture + error))


def planes(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def test_ms_ssim_is_that_of_the_runtime(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ours = similarity.ms_ssim(*map(planes, pair))
    assert 1 - ours.item() == pytest.approx(1 - metrics.ms_ssim(*pair), rel=1e-3)


@pytest.mark.parametrize("luminance", [False, True])
def test_the_quick_one_is_the_plain_one(pair: tuple[np.ndarray, np.ndarray], luminance: bool) -> None:
    original, shown = map(planes, pair)
    shown = shown[..., :40, :50].requires_grad_()
    original, grad = original[..., :40, :50], torch.randn(1, 3, 30, 40)
    found = []
    for similar in (similarity.QuickSimilarity.apply, similarity.similarity):
        result = similar(shown, original, luminance)
        found.append([result, *torch.autograd.grad(result, shown, grad)])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_some_scales_are_those_of_a_smaller_picture(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = map(planes, pair)
    halves = [torch.nn.functional.avg_pool2d(v, 2) for v in (a, b)]
    for coarse, fine in zip(similarity.maps(a, b, range(1, 3)), similarity.maps(*halves, range(2)), strict=True):
        torch.testing.assert_close(coarse, fine)


def test_dissimilarity_is_the_first_order_of_ms_ssim_and_weighs_places(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = map(planes, pair)
    even = torch.ones(1, 1, 12, 12)
    lost = similarity.dissimilarity(b, a, even).item()
    assert lost == pytest.approx(1 - similarity.ms_ssim(b, a).item(), rel=0.05)
    left = even.clone()
    left[..., :6] = 3
    half = torch.cat([b[..., :96], a[..., 96:]], 3)
    assert similarity.dissimilarity(half, a, left) > 2.8 * similarity.dissimilarity(half, a, even)


def test_the_loss_takes_its_share_of_structure(pair: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = map(planes, pair)
    base = torch.tensor([300.0])
    level = base.view(1, 1, 1, 1).expand(1, 1, 12, 12)

    class Fixed(torch.nn.Module):
        def forward(self, *_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            return b, torch.zeros(1), torch.zeros(1)

    squared, mixed, structural = (train.loss_of(Fixed(), a, base, level, share)[0].item() for share in (0.0, 0.25, 1.0))
    assert mixed == pytest.approx(0.75 * squared + 0.25 * structural)
    assert structural != pytest.approx(squared, rel=0.01)


def test_the_exchange_falls_as_pictures_get_finer() -> None:
    rates = train.exchange(torch.tensor([0.0, LEVEL_MAX]))
    assert 0.01 < rates[1] < rates[0] < 0.02
