"""Layers that the papers' recipes share: their graphs compute what the torch modules compute."""

import numpy as np
import onnxruntime as ort
import torch

from onnx_models.recipes.common.factorised import LARGEST, Prior, counted, tables_of
from onnx_models.recipes.common.gains import Gains, gain, hats
from onnx_models.recipes.common.gdn import GDN, Kernel5, gdn, kernel5
from onnx_models.recipes.common.graph import Graph
from onnx_models.recipes.common.levels import ANCHORS


def run(g: Graph, **feeds: torch.Tensor) -> torch.Tensor:
    session = ort.InferenceSession(g.model().SerializeToString(), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {name: value.numpy() for name, value in feeds.items()})[0])


@torch.no_grad()
def test_normalisation() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 4, 3, 5)
    for inverse in (False, True):
        layer = GDN(4, inverse=inverse)
        layer.log_beta.data, layer.log_gamma.data = torch.randn(4), torch.randn(4, 4, 1, 1)
        g = Graph("gdn")
        g.output(gdn(g, g.input("x", [1, 4, "h", "w"]), layer), "y", [1, 4, "h", "w"])
        torch.testing.assert_close(run(g, x=x), layer(x))


@torch.no_grad()
def test_halving_and_doubling() -> None:
    torch.manual_seed(0)
    for transposed, channels, shape in ((False, 4, (6, 10)), (True, 6, (3, 7))):
        layer = Kernel5(4, 6, transposed=transposed)
        for tap in layer.taps:
            tap.data = torch.randn_like(tap).half().float()
        layer.bias.data = torch.randn_like(layer.bias)
        x, g = torch.randn(1, channels, *shape), Graph("kernel5")
        g.output(kernel5(g, g.input("x", [1, channels, "h", "w"]), layer), "y", [1, 10 - channels, "h_out", "w_out"])
        torch.testing.assert_close(run(g, x=x), layer(x), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_gains_are_interpolated_between_anchors() -> None:
    torch.manual_seed(0)
    gains = Gains(torch.linspace(-1, 2, ANCHORS), 5)
    gains.log_gain += 0.3 * torch.randn_like(gains.log_gain)
    g = Graph("gains")
    factors = gain(g, hats(g, g.input("level", [1, 1, 1, 1])), gains.log_gain)
    g.output(factors, "gain", [1, 5, 1, 1])
    for level in (0, 64, 300, 1024):
        expected = gains(torch.tensor([float(level)]))
        torch.testing.assert_close(run(g, level=torch.full((1, 1, 1, 1), float(level))), expected)
    between = gains(torch.tensor([64.0])).log()
    torch.testing.assert_close(between[0, :, 0, 0], gains.log_gain[:2].mean(0))


def test_tables_are_the_prior_and_what_was_counted() -> None:
    torch.manual_seed(0)
    prior = Prior(3)
    shares = prior.probabilities(4)
    assert shares.shape == (3, 2 * LARGEST + 1)
    bits = prior.bits(torch.arange(-3.0, 4).expand(1, 3, 1, 7), torch.tensor([4]))[0, :, 0]
    np.testing.assert_allclose(2 ** -bits.detach().numpy(), shares[:, LARGEST - 3 : LARGEST + 4], atol=1e-6)
    seen = np.zeros((ANCHORS, 3, 2 * LARGEST + 1))
    symbols = np.array([[[0, 5]], [[-5, -5]], [[LARGEST + 1, 0]]])
    for _ in range(2000):
        counted(symbols, seen[4])
    assert seen.sum() == 2000 * 5
    tables = tables_of(prior, seen)
    assert len(tables) == 9 * 3
    low, frequencies = tables[4 * 3 + 1]
    assert low + int(frequencies.argmax()) == -5
    low, frequencies = tables[1]
    assert low + int(frequencies.argmax()) == 0
