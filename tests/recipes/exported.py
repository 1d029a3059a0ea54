"""Models as recipes export them, for tests: those that a training begins with, in folders of their own, and the released ones."""

import dataclasses
import json
from argparse import Namespace
from pathlib import Path
from types import ModuleType
from typing import Any

import onnx
import torch

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
