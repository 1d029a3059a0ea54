"""The import law of the package: who may know whom, read from the source of every file, in one table."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pillow_lic.families import FAMILIES

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("pillow_lic/**/*.py"), *ROOT.glob("imageio_plugin/**/*.py")])

LEAVES = "errors arguments deadlines files metadata metrics fileformat/identity"
FOLDERS_OF_FAMILIES = "families/contract families/shared families/wrapped"
"""What families share: they import these and never each other."""
LAW = {
    # file or folder: what of the package it may import ("=families": that file alone, not what is in the folder), and which
    # packages of others (the standard library always)
    "errors": ("", ""),
    "arguments": ("errors", ""),
    "files": ("errors", ""),
    "deadlines": ("errors", ""),
    "metrics": ("", "numpy"),
    "command_values": ("", ""),
    "fileformat": ("errors fileformat", "numpy"),
    "fileformat/header": ("errors fileformat", ""),
    "fileformat/identity": ("", ""),
    "fileformat/container": ("errors fileformat", ""),
    "fileformat/sections": ("errors fileformat", ""),
    "fileformat/areas": ("errors", ""),
    "fileformat/tiling": ("fileformat", ""),
    "fileformat/streams": ("errors fileformat", ""),
    "fileformat/vp8l": ("errors deadlines fileformat", "numpy PIL"),
    "fileformat/jpeg": ("errors fileformat", "numpy PIL"),
    "fileformat/varint": ("errors fileformat", ""),
    "engine": ("errors arguments deadlines engine fileformat", "numpy"),
    "engine/runtime": ("errors deadlines engine fileformat", "numpy onnxruntime"),
    "engine/ending": ("", ""),
    "engine/native": ("_native engine/ending", ""),
    "engine/graphs": ("", "numpy"),
    "engine/bits": ("errors engine/entropy engine/ending _native", "numpy"),
    "engine/entropy": ("errors engine _native", "numpy"),
    "families": (f"errors deadlines metrics engine fileformat =families {FOLDERS_OF_FAMILIES}", "numpy"),
    "families/contract": ("engine/models fileformat", "numpy"),
    "families/shared": ("errors deadlines engine fileformat families/contract families/shared", "numpy"),
    "families/wrapped": ("errors deadlines engine fileformat =families families/wrapped", "numpy"),
    "families/wrapped/held": ("", "numpy"),
    "families/wrapped/still": ("fileformat/areas", "numpy"),
    "families/wrapped/views": ("", "numpy"),
    "families/wrapped/calm": ("fileformat/areas families/wrapped/still", "numpy"),
    "families/wrapped/noise": ("fileformat/areas families/wrapped/held families/wrapped/still", "numpy"),
    "families/wrapped/gate": ("engine/models fileformat/areas families/wrapped/calm families/wrapped/still", "numpy"),
    "families/lic1": ("errors deadlines metrics engine fileformat =families families/lic1", "numpy"),
    "importance": ("errors arguments engine fileformat importance", "numpy"),
    "importance/places": ("arguments", ""),
    "importance/percentiles": ("", "numpy"),
    "importance/jpeg": ("fileformat importance", "numpy PIL"),
    "exact": ("fileformat exact", "numpy"),
    "exact/pixelwise": ("_native", "numpy"),
    "exact/snapping": ("_native fileformat exact/aims exact/blockwise exact/pixelwise", "numpy"),
    "options": ("arguments command_values fileformat importance/places", ""),
    "claims": ("engine errors", ""),
    "channels": ("=families fileformat", "numpy"),
    "inspecting": ("errors engine =families fileformat =inspecting", "numpy"),
    "writing": ("channels engine =families exact fileformat importance options writing", "numpy"),
    "writing/rate_search": ("errors fileformat options", ""),
    "writing/previews": ("color engine =families exact fileformat writing/forms", ""),
    "writing/forms": ("channels engine =families exact fileformat =inspecting metrics", "numpy"),
    "missing_tiles": ("channels =families fileformat", "numpy"),
    "codec": ("errors channels writing missing_tiles engine =families fileformat =inspecting options", "numpy"),
    "color": ("errors fileformat", "numpy PIL"),
    "metadata": ("arguments errors", "PIL"),
    "jpeg_originals": ("errors fileformat", "numpy PIL"),
    "restoring": ("errors files color engine families/wrapped fileformat jpeg_originals", "numpy PIL"),
    "plugin": ("errors metadata codec color engine =families fileformat =inspecting", "PIL"),
    "opening": ("arguments errors files fileformat =inspecting plugin", "PIL"),
    "saving": ("arguments files metadata codec color engine =families fileformat =inspecting options jpeg_originals", "PIL"),
    "header_only": ("engine/interpreter fileformat", "PIL"),
    "process_start": ("", ""),
    "LicImagePlugin": ("engine/interpreter fileformat/identity header_only plugin saving", "PIL"),
    "__init__": (
        "process_start LicImagePlugin opening plugin saving restoring engine/interpreter engine/settings errors autoload/after_import batch",
        "",
    ),
    "installed_files": ("files", ""),
    "autoload": ("errors files installed_files autoload", ""),
    "autoload/after_import": ("__init__ errors", ""),
    "batch": (f"{LEAVES} __init__ batch color engine fileformat importance options opening restoring saving", "numpy PIL"),
    "batch/jobs": ("errors batch", ""),
    "batch/locations": ("errors files fileformat/source batch", ""),
    "batch/stores": ("errors files batch", "fsspec"),
    "batch/raw": ("batch metadata", "PIL rawpy"),
    "batch/processes": ("process_start errors", ""),
    "batch/adjustment": ("errors color metadata", "PIL"),
    "batch/cluster": ("errors __init__ batch", "distributed"),
    "pages": ("pages", "PIL"),
    "desktop": (f"{LEAVES} batch color desktop installed_files opening pages", "PIL"),
    "desktop/directories": ("", ""),
    "desktop/entries": ("fileformat/identity", ""),
    "bench": (
        f"{LEAVES} __init__ bench claims codec color engine families fileformat inspecting options pages command_values opening saving _native",
        "numpy PIL constriction",
    ),
    "bench/groups": ("bench/peers claims engine =families options", ""),
    "bench/restoration": ("files metrics restoring bench/peers bench/words", "numpy PIL"),
    "bench/words": ("", ""),
    "bench/boxes": ("files metrics batch bench color importance saving", "numpy PIL"),
    "papers": (f"{LEAVES} __init__ bench claims codec inspecting color engine families fileformat options pages papers", "numpy PIL"),
    "probe": ("engine/settings fileformat probe", "numpy PIL"),
    "freezing": ("", ""),
    "freezing/hook-pillow_lic": ("", "PyInstaller"),
    "commands": ("*", "numpy PIL"),
    "__main__": ("__init__ process_start errors commands", "PIL argcomplete"),
    "imageio_plugin": ("*", "numpy PIL imageio"),
}  # fmt: skip


def name_of(path: Path) -> str:
    """Return the name of a file in the table: its path in the package without the suffix."""
    name = path.relative_to(ROOT).with_suffix("").as_posix().removeprefix("pillow_lic/")
    return name.removesuffix("/__init__")


def row_of(name: str) -> str | None:
    """Return the row that covers a file: that of its own name, else of its folder, else of the folder around that."""
    while name not in LAW:
        if "/" not in name:
            return None
        name = name.rpartition("/")[0]
    return name


def imported(path: Path) -> Iterator[str]:
    """Yield what a file imports anywhere in it: files and folders of ours as in the table, names of other packages."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            around = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(filter(None, [around, node.module]))
            found = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (_shortened(name) for name in found)


def _shortened(name: str) -> str:
    parts = name.split(".")
    if parts[0] != "pillow_lic":
        return parts[0]
    ours = "/".join(parts[1:])
    while ours and not any((ROOT / "pillow_lic" / ours).with_suffix(s).exists() for s in ("", ".py", ".pyi")):
        ours = ours.rpartition("/")[0]
    return ours or "__init__"


def is_ours(name: str) -> bool:
    """Whether a name is that of a file or a folder of the package."""
    place = ROOT / "pillow_lic" / name
    return place.is_dir() or place.with_suffix(".py").exists() or place.with_suffix(".pyi").exists()


def allowed(name: str, by: str) -> bool:
    """Whether a name of ours is one of those in a row, or in one of those folders."""
    return any(row in ("*", name, f"={name}") or name.startswith(f"{row}/") for row in by.split())


def test_the_walk_sees_imports() -> None:
    """The other tests would pass over an empty list."""
    seen = {name_of(path): set(imported(path)) for path in FILES}
    assert "fileformat/limits" in seen["fileformat/header"]
    assert "engine/settings" in seen["engine/runtime"]
    assert "onnxruntime" in seen["engine/runtime"]
    assert len(FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_keeps_the_law(path: Path) -> None:
    row = row_of(name_of(path))
    assert row is not None, f"no row covers {path}: say in LAW what it may import"
    ours, others = LAW[row]
    seen = set(imported(path))
    own = {name for name in seen if is_ours(name)}
    assert not {name for name in own if not allowed(name, ours)}
    assert seen - own - set(sys.stdlib_module_names) <= set(others.split())


def test_every_row_covers_a_file() -> None:
    assert {row_of(name_of(path)) for path in FILES} == set(LAW)


def test_families_do_not_know_each_other() -> None:
    for path in FILES:
        name = name_of(path)
        if name.startswith("families/"):
            mine = name.split("/")[1]
            others = {n.split("/")[1] for n in imported(path) if n.startswith("families/")}
            assert not (others - {mine}) & set(FAMILIES), name


def test_no_circles() -> None:
    """No file imports itself through others, outside functions."""
    graph = {name_of(path): set(at_import(path)) for path in FILES}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way, name))
        if name in done:
            return
        for other in graph.get(name, ()):
            if other != name:
                visit(other, (*way, name))
        done.add(name)

    for name in graph:
        visit(name, ())


def at_import(path: Path) -> Iterator[str]:
    """Yield what a file imports when it is imported: nothing inside functions, nothing for type checkers alone."""
    tree = ast.parse(path.read_text("utf-8"))
    tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    package = path.relative_to(ROOT).parent.parts
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join(filter(None, [".".join(package[: len(package) - node.level + 1]), node.module]))
            yield from (_shortened(f"{base}.{alias.name}") for alias in node.names)


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


SOURCES = [
    path
    for folder in ("pillow_lic", "imageio_plugin", "onnx_models", "tests")
    for kind in ("py", "hpp", "cpp", "cc", "cu")
    for path in ROOT.glob(f"{folder}/**/*.{kind}")
]


def test_no_module_is_longer_than_one_topic() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert len(lengths) > 500
    assert {name: length for name, length in lengths.items() if length > 350} == {}
