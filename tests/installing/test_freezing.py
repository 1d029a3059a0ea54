"""Programs that are frozen: PyInstaller finds the hook by its entry point, and the hook finds what no import shows."""

from importlib.metadata import entry_points
from pathlib import Path

import pytest


def test_the_hook_is_found_by_its_entry_point() -> None:
    (point,) = (p for p in entry_points(group="pyinstaller40") if p.value.startswith("pillow_lic"))
    (folder,) = point.load()()
    assert (Path(folder) / "hook-pillow_lic.py").is_file()


def test_the_hook_collects_networks_and_commands() -> None:
    hooks = pytest.importorskip("PyInstaller.utils.hooks")
    assert any(source.endswith(".onnx") for source, _ in hooks.collect_data_files("pillow_lic"))
    (point,) = (p for p in entry_points(group="pyinstaller40") if p.value.startswith("pillow_lic"))
    found: dict[str, object] = {}
    exec((Path(point.load()()[0]) / "hook-pillow_lic.py").read_text(), found)
    assert {"pillow_lic._native", "pillow_lic.commands.convert"} <= set(found["hiddenimports"])  # type: ignore[call-overload]
