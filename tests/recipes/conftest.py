"""The recipes are tested where torch is: `pip install torch==2.13.0`. Without it these tests are not collected."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]


@pytest.fixture(scope="session")
def patches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of patches cut from pictures made by code."""
    from PIL import Image

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from made.pictures import photo_like

    from onnx_models.recipes.common import data

    folder = tmp_path_factory.mktemp("pictures")
    for i in range(9):
        Image.fromarray(photo_like(256 if i % 3 else 300, 256, seed=i)).save(folder / f"{i}.png")
    Image.fromarray(photo_like(1100, 1100, seed=20)).save(folder / "large.png")
    out = tmp_path_factory.mktemp("patches")
    assert data.build(folder, out) == 13
    return out
