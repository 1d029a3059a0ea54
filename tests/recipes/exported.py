"""Models as recipes export them, for tests: those that a training begins with, in folders of their own, and the released ones."""

import dataclasses
import json
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor

from onnx_models.recipes.common import training
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.export import Placed
from pillow_lic.engine import models
from pillow_lic.engine.models import Model


def exported(recipe: ModuleType, net: Any, number: int, patches: Path, folder: Path) -> Model:
    """Return the model that `recipe` exports of a network as it begins; `number` is no released model's, since sessions are kept by it."""
    net.start(Patches(patches))
    torch.save(net.state_dict(), folder / "weights.pt")
    recipe.export(Namespace(weights=folder / "weights.pt", patches=patches, id=number, out=folder, samples=2))
    (entry,) = json.loads((folder / "manifest.json").read_text())["models"]
    files = {role: dataclasses.replace(Placed.of(file), folder=folder) for role, file in entry["files"].items()}
    return dataclasses.replace(models._model(entry), files=files)


def check_released(name: str, **graphs: onnx.ModelProto) -> Model:
    """Assert that graphs are, to the byte, those of a released model by their roles, and return it."""
    model = models.choose(name)
    for role, graph in graphs.items():
        assert graph.SerializeToString(deterministic=True) == model.stored(role).read(), role
    return model


def beside(recipe: ModuleType) -> dict[str, Tensor]:
    """Return the released weights, which lie beside a recipe."""
    assert recipe.__file__ is not None
    return training.weights(Path(recipe.__file__).with_suffix(".pt"))


@torch.no_grad()
def check_transform(model: Model, net: Any, pixels: npt.NDArray[np.uint8], level: int) -> npt.NDArray[np.uint8]:
    """Assert that analysis and synthesis of a model are those of its network for pixels (h, w, 3), and return what is shown of them."""
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    field, levels = np.full((1, 1, 1, 1), level, np.float32), torch.tensor([float(level)])
    y = model.run("analysis", pixels=pixels, level=field)[0]
    wanted = net.latents(x, levels)
    np.testing.assert_allclose(y, wanted, atol=0.01 * float(wanted.abs().max()))
    q = np.rint(y)
    shown: npt.NDArray[np.uint8] = model.run("synthesis", q=q, level=field)[0][0]
    picture = net.picture(torch.from_numpy(q), levels)[0].permute(1, 2, 0)
    assert np.abs(shown - (255 * picture).clamp(0, 255).numpy()).mean() < 1
    return shown
