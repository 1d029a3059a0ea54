"""The licences of what the extension has compiled in go with it: binary copies must carry them."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTICES = {"LICENSE.nanobind.txt": "Wenzel Jakob", "LICENSE.robin_map.txt": "Thibaut Goetghebuer-Planchon"}


def test_pyproject_names_them() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license-files"]
    found = {path.name: path.read_text("utf-8") for pattern in patterns for path in ROOT.glob(pattern)}
    assert set(found) == {"LICENSE", *NOTICES}
    for name, author in NOTICES.items():
        assert author in found[name]
        assert "Permission is hereby granted" in found[name] or "Redistributions in binary form" in found[name]


def test_they_are_those_of_what_it_is_built_with() -> None:
    try:
        files = importlib.metadata.files("nanobind") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nanobind is not installed here")
    texts = [Path(str(file.locate())).read_text("utf-8") for file in files if file.name == "LICENSE"]
    assert (ROOT / "pillow_lic/native/LICENSE.nanobind.txt").read_text("utf-8") in texts


def test_the_distribution_carries_them() -> None:
    found = {file.name for file in importlib.metadata.files("pillow-lic") or [] if "licenses" in file.parts}
    assert set(NOTICES) <= found
