"""The import law of the package (DESIGN section 2): who may know whom, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pillow_lic"
MODULES = sorted(PACKAGE.glob("*.py"))
PLUGIN = sorted((ROOT / "imageio_plugin").glob("*.py"))

STDLIB_ONLY = {"container", "header", "tiles", "limits", "errors"}
PIL_USERS = {
    "plugin",
    "LicImagePlugin",
    "budget",
    "color",
    "transcode",
    "demo",
    "peers",
    "probe",
    "probe_rows",
    "probe_means",
    "__main__",
}
ONNXRUNTIME_USERS = {"runtime"}
IMAGEIO_PLUGIN = {"imageio_plugin", "pillow_lic.imageio_plugin"}
NEVER = {"torch", "onnx", "matplotlib", "scipy", "skimage", "pytest"}


def imported(path: Path) -> Iterator[str]:
    """Yield the full names of the modules a file imports anywhere in it, names imported from a package included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ("pillow_lic." * (node.level > 0) + (node.module or "")).rstrip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def users(*roots: str) -> set[str]:
    """Return the stems of our modules that import one of these modules or anything under it."""
    return {
        path.stem
        for path in MODULES
        if any(name == root or name.startswith(f"{root}.") for name in imported(path) for root in roots)
    }


def test_the_walk_sees_imports() -> None:
    """The other tests would pass over an empty list."""
    assert "pillow_lic.limits" in set(imported(PACKAGE / "container.py"))
    assert "container" in users("pillow_lic.header")
    assert len(MODULES) > 5


@pytest.mark.parametrize("stem", sorted(STDLIB_ONLY))
def test_the_format_knows_the_standard_library_only(stem: str) -> None:
    roots = {
        name.split(".")[1] if name.startswith("pillow_lic.") else name for name in imported(PACKAGE / f"{stem}.py")
    }
    ours = {name for name in roots if (PACKAGE / f"{name}.py").exists()} | {"pillow_lic"}
    outside = {name.split(".")[0] for name in roots - ours}
    assert ours - {"pillow_lic"} <= STDLIB_ONLY
    assert outside <= set(sys.stdlib_module_names)


def test_only_the_runtime_knows_the_engine() -> None:
    assert users("onnxruntime") <= ONNXRUNTIME_USERS


def test_only_the_plugin_side_knows_pillow() -> None:
    assert users("PIL") <= PIL_USERS


def test_extras_have_one_door_each() -> None:
    assert users("fsspec") == {"stores"}
    assert users("distributed", "dask") == {"fleet"}


def test_nobody_knows_the_imageio_plugin() -> None:
    assert not users(*IMAGEIO_PLUGIN)


def test_nothing_imports_training_or_test_tools() -> None:
    assert not users(*NEVER)
    for path in PLUGIN:
        assert NEVER.isdisjoint(name.split(".")[0] for name in imported(path))


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, PIL.Image; before = set(sys.modules); import pillow_lic; "
        "print(*sorted(set(sys.modules) - before)); print(*sorted(before))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    added, before = (set(line.split()) for line in result.stdout.splitlines())
    assert "pillow_lic" in added
    heavy = {"numpy", "onnxruntime", "torch", "imageio", "PIL.ImageFile", "matplotlib", "asyncio", "concurrent"}
    assert heavy.isdisjoint(added | before)
