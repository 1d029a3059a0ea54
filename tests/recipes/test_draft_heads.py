"""The graphs of drafts compute what their torch descriptions say, and the fit helps."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
import torch
from test_networks import SMALL, moved

from onnx_models.recipes.lic1 import draft
from onnx_models.recipes.lic1.model import Lic1
from pillow_lic.families.lic1 import passes


@pytest.fixture(scope="module", params=[4, 3], ids=["lic1", "lic2"])
def net(request: pytest.FixtureRequest) -> Lic1:
    """Untrained networks of so many stages."""
    return moved(replace(SMALL, stages=request.param))


def session(model: object) -> ort.InferenceSession:
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@torch.no_grad()
@pytest.mark.parametrize("inside", [(8, 12), (7, 9)])
def test_means_of_the_first_group(net: Lic1, inside: tuple[int, int]) -> None:
    torch.manual_seed(1)
    r = torch.randint(-3, 4, (1, 64, 8, 12)).float()
    r[:, :, inside[0] :], r[..., inside[1] :] = 0, 0
    z_hat, level = torch.randint(-5, 6, (1, 16, 2, 3)).float(), torch.randint(0, 1025, (1, 1, 8, 12)).float()
    cells = torch.from_numpy(passes.cells((8, 12), inside))[None]
    feeds = {"z_hat": z_hat, "v": r, "level": level, "cells": cells}
    found = session(draft.draft_means(net)).run(None, {k: v.numpy() for k, v in feeds.items()})[0]
    assert (found[:, :, inside[0] :] == 0).all()
    if inside == (8, 12):
        np.testing.assert_allclose(found, draft.draft_latents(net, r, z_hat, level)[:, :16], rtol=0.02, atol=0.05)


@torch.no_grad()
@pytest.mark.parametrize("scale", draft.SCALES)
def test_heads(net: Lic1, scale: int) -> None:
    torch.manual_seed(2)
    side, size = 16 // scale, 64 + 9 * draft.NEIGHBOURS + 1
    weights = np.random.default_rng(0).normal(0, 0.02, (size, 3 * side * side)).astype(np.float32)
    weights[-1] = 0.5
    y_hat, level = torch.randn(1, 64, 6, 7), torch.full((1, 1, 6, 7), 400.0)
    pixels = session(draft.head(net, scale, weights)).run(None, {"y_hat": y_hat.numpy(), "level": level.numpy()})[0]
    assert pixels.shape == (1, 6 * side, 7 * side, 3)
    y = y_hat * draft.gain_field(net.synthesis.gain_y, draft.hats(level))
    wanted = (draft.features(y) @ torch.from_numpy(weights)).clamp(0, 1) * 255
    blocks = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    found = draft.targets(torch.nn.functional.interpolate(blocks, scale_factor=scale), scale) * 255
    assert float((found - wanted).abs().max()) < 2


def test_the_fit_is_no_worse_than_the_linear_path(net: Lic1) -> None:
    rng = np.random.default_rng(0)
    patches = [rng.integers(0, 256, (32, 32, 3)).astype(np.uint8).repeat(4, 0).repeat(4, 1) for _ in range(8)]
    heads = draft.fit(net, patches)
    x = torch.from_numpy(patches[0].copy()).permute(2, 0, 1)[None].float() / 255
    picture, y = draft.full_and_draft(net, x, torch.full((1, 1, 8, 8), 500.0))
    for scale in draft.SCALES:
        wanted, known = draft.targets(picture, scale), draft.features(y)
        plain = known[:, :64] @ torch.from_numpy(draft.averaged(net, scale).T) + 0.5
        found = known @ torch.from_numpy(heads[scale])
        assert float(((found - wanted) ** 2).mean()) < float(((plain - wanted) ** 2).mean())
