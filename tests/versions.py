"""Both ends of what pyproject.toml declares: files written with the oldest releases and with the newest, each read with the other.

    python tests/versions.py                     # minutes, and an index of packages; prints the figures, exits 1 on a difference
    python tests/versions.py --wheel a.whl       # of a wheel that is there

Every model, mode and feature is written; pixels of one file may differ by one level, in at most one of a thousand samples.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
LARGEST_DIFFERENCE = 1
LARGEST_SHARE = 1e-3


def requirements(end: str) -> list[str]:
    """Return what pip is to install for an end: the oldest releases of the declared minors, or the newest of all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["imageio"]
    found = [re.fullmatch(r"([a-z]+)>=([0-9.]+)", dependency) for dependency in declared]
    return [f"{m[1]}=={m[2]}.*" if end == "oldest" else m[1] for m in found if m]


def environment(folder: Path, wheel: Path, packages: list[str]) -> str:
    """Make a virtual environment with the wheel and these packages and return its python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel, *packages], check=True)
    return str(python)


def pictures() -> dict[str, tuple[object, dict[str, object]]]:
    """Return pictures and save options by name."""
    from PIL import Image

    from pillow_lic.engine import models

    photo = Image.effect_mandelbrot((200, 150), (-2, -1.2, 0.8, 1.2), 40).convert("RGB")
    photo.paste(Image.radial_gradient("L").resize((90, 90)), (60, 30))
    clear = photo.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(photo.size))
    found: dict[str, tuple[object, dict[str, object]]] = {
        f"model {model.name}": (photo, {"model": model.name}) for model in models.models()
    }
    found |= {f"mode {mode}": (clear.convert(mode), {}) for mode in ("L", "LA", "RGBA")}
    found |= {f"quality {quality}": (photo, {"quality": quality}) for quality in (1, 10)}
    found |= {
        "several tiles": (photo.resize((1700, 1300)), {"quality": 2}),
        "importance": (photo, {"importance": "auto", "roi": [(10, 10, 60, 60)]}),
        "effort": (photo, {"effort": 1}),
        "target": (photo, {"target_size": 3000}),
        "metadata": (photo, {"dpi": (300, 300), "xmp": b"<x/>"}),
        "one pixel": (photo.crop((0, 0, 1, 1)), {}),
    }
    return found


def write(folder: Path) -> None:
    """Write every picture and the pixels that are seen here: whole, as a draft, and a region."""
    import imageio.v3 as iio
    import numpy as np

    import pillow_lic

    for name, (image, options) in pictures().items():
        data = pillow_lic.encode(image, **options)
        if not options and iio.imwrite("<bytes>", np.asarray(image), extension=".lic") != data:
            msg = f"imageio writes other bytes of {name}"
            raise AssertionError(msg)
        (folder / f"{name}.lic").write_bytes(data)
        np.savez(folder / f"{name}.npz", **seen(data))


def seen(data: bytes) -> dict[str, object]:
    """Return the pixels of a file, whole, as a draft, of a region and with imageio, by name."""
    import imageio.v3 as iio
    import numpy as np

    import pillow_lic

    whole, small, part = (pillow_lic.open(data) for _ in range(3))
    small.draft(None, (whole.width // 4, whole.height // 4))
    region = part.region((0, 0, (whole.width + 1) // 2, (whole.height + 1) // 2))
    return {
        "whole": np.asarray(whole),
        "draft": np.asarray(small),
        "region": np.asarray(region),
        "imageio": iio.imread(data, extension=".lic"),
    }


def read(folder: Path) -> bool:
    """Read what another end wrote, print the differences, and return whether they are as small as they must be."""
    import numpy as np

    good = True
    for path in sorted(folder.glob("*.lic")):
        expected = np.load(path.with_suffix(".npz"))
        for what, pixels in seen(path.read_bytes()).items():
            difference = np.abs(pixels.astype(int) - expected[what])
            fine = difference.max() <= LARGEST_DIFFERENCE and (difference > 0).mean() <= LARGEST_SHARE
            good &= bool(fine)
            if difference.any() or not fine:
                print(
                    f"  {path.stem}, {what}: up to {difference.max()}, in {(difference > 0).mean():.2e} of the samples"
                )
    return good


def main() -> int:
    """Make both environments and have each read what both wrote."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the package to try; built here by default")
    parser.add_argument("--ends", nargs="+", default=["oldest", "newest"], choices=["oldest", "newest"])
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"), help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        what, folder = words.child[0], Path(words.child[1])
        return int(not read(folder)) if what == "read" else write(folder) or 0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        if words.wheel is None:
            subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", work, ROOT], check=True)
            words.wheel = next(work.glob("*.whl"))
        pythons = {}
        for end in words.ends:
            (work / f"files of {end}").mkdir()
            pythons[end] = environment(work / end, words.wheel, requirements(end))
            versions = "import numpy, onnxruntime, PIL, imageio; print(*(m.__version__ for m in (numpy, onnxruntime, PIL, imageio)))"
            done = subprocess.run([pythons[end], "-c", versions], check=True, capture_output=True, text=True)
            print(f"{end}: numpy, onnxruntime, pillow, imageio {done.stdout.strip()}", flush=True)
            child(pythons[end], work, "write", work / f"files of {end}")
        bad = 0
        for reader, python in pythons.items():
            for writer in pythons:
                failed = child(python, work, "read", work / f"files of {writer}")
                bad += failed
                print(f"{reader} reads {writer}: {'DIFFERENT' if failed else 'equal, up to one level'}", flush=True)
    return int(bad > 0)


def child(python: str, work: Path, what: str, folder: Path) -> int:
    """Run this script in another environment, away from the checkout; return its exit code, which is 0 if it wrote."""
    done = subprocess.run([python, Path(__file__).resolve(), "--child", what, folder], cwd=work, check=what == "write")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
