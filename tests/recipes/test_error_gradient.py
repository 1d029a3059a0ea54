"""The exported gradient is that of torch's own derivative of the torch modules."""

import numpy as np
import onnxruntime as ort
import pytest
import torch

from onnx_models.recipes.common.levels import lambdas
from onnx_models.recipes.lic1.error_gradient import error_gradient
from onnx_models.recipes.lic1.model import Lic1, Sizes

SMALL = Sizes(a=48, a2=64, c=32, c2=48, m=64, z=16, p=32, s=32, analysis=1, synthesis=2)


@pytest.fixture(scope="module")
def net() -> Lic1:
    torch.manual_seed(0)
    net = Lic1(torch.linalg.qr(torch.randn(768, 768))[0], torch.logspace(1, -5, 768), SMALL).eval()
    for p in net.parameters():
        p.data += 0.05 * (p.data.abs().mean() or 1) * torch.randn_like(p)
        p.data = p.data.half().float()
    return net


def test_the_gradient(net: Lic1) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 190, (128, 192, 3)).astype(np.uint8)
    level = torch.randint(300, 700, (1, 1, 8, 12)).float()
    y_hat = torch.randn(1, 64, 8, 12, requires_grad=True)

    shown = net.synthesis(y_hat, level)
    assert shown.min() > 0
    assert shown.max() < 1
    error = 255 * shown - torch.from_numpy(pixels).permute(2, 0, 1).float()
    weight = lambdas(level).repeat_interleave(16, 2).repeat_interleave(16, 3)
    (wanted,) = torch.autograd.grad((weight * error**2).sum() / 3, y_hat)

    session = ort.InferenceSession(error_gradient(net).SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {"y_hat": y_hat.detach().numpy(), "level": level.numpy(), "pixels": pixels}
    (got,) = session.run(None, feeds)
    # At the edges of a picture the mean around a pixel is of fewer.
    inside = (slice(None), slice(None), slice(2, -2), slice(2, -2))
    scale = wanted[inside].abs().mean().item()
    np.testing.assert_allclose(got[inside], wanted[inside], rtol=0.02, atol=0.02 * scale)
    assert np.abs(got - wanted.numpy()).mean() < 0.05 * scale
