"""`lic demo`: a photo to .lic and back, beside the other formats, as in `peers.PEERS`, at the same number of bytes."""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .. import metrics
from . import peers
from .peers import Peer

_SAMPLES = ("astronaut.png", "coffee.png", "chelsea.png")
_OWN_SAMPLE = Path(__file__).with_name("chelsea.webp")

_COMPARED = ("jpeg", "webp", "avif")


@dataclass(frozen=True)
class Row:
    """One line of the table: whole-file bytes, RGB PSNR in dB, and seconds for writing and for reading the file."""

    name: str
    quality: float
    size: int
    psnr: float
    write: float
    read: float


def sample_pictures() -> list[Path]:
    """Return the photos of an installed scikit-image, or the one that comes with this package."""
    spec = importlib.util.find_spec("skimage")
    folder = Path(spec.origin).parent / "data" if spec and spec.origin else Path()
    found = [folder / name for name in _SAMPLES if (folder / name).is_file()]
    return found or [_OWN_SAMPLE]


def available_peers() -> list[Peer]:
    """Return the formats to compare with that this Pillow was built with."""
    return [peers.PEERS[name] for name in _COMPARED if peers.is_available(name)]


def measure(image: Image.Image, file: Path, name: str, quality: float, save_options: Mapping[str, Any]) -> Row:
    """Write the RGB image to `file`, read it back, and return what that took and what is left of the picture."""
    begun = time.perf_counter()
    image.save(file, quality=quality, **save_options)
    written = time.perf_counter()
    with Image.open(file) as again:
        pixels = np.asarray(again.convert("RGB"))
    read = time.perf_counter()
    psnr = metrics.psnr(np.asarray(image), pixels)
    return Row(name, quality, file.stat().st_size, psnr, written - begun, read - written)


def nearest_quality(size: Callable[[int], int], wanted: int, lowest: int, highest: int) -> int:
    """Return the whole quality whose file comes nearest to `wanted` bytes; sizes must grow with quality."""
    low, high = lowest, highest
    while high - low > 1:
        middle = (low + high) // 2
        if size(middle) <= wanted:
            low = middle
        else:
            high = middle
    return min((low, high), key=lambda quality: abs(size(quality) - wanted))


def compare(picture: Path, quality: float, folder: Path) -> Iterator[Row]:
    """Yield a row for LIC at `quality`, then one for every other format at nearly the same number of bytes."""
    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    own = measure(image, folder / "demo.lic", "LIC", quality, {})
    yield own
    for peer in available_peers():
        file = folder / f"demo{peer.suffix}"
        known: dict[int, int] = {}

        def size(peer_quality: int, file: Path = file, options: Any = peer.settings, known: Any = known) -> int:
            if peer_quality not in known:
                image.save(file, quality=peer_quality, **options)
                known[peer_quality] = file.stat().st_size
            return int(known[peer_quality])

        yield measure(image, file, peer.name, nearest_quality(size, own.size, *peer.span), peer.settings)


def main(pictures: Sequence[str], quality: float, keep: str | None = None) -> int:
    """Print the table for every picture; the files stay in the directory `keep` if one is given."""
    paths = [Path(picture) for picture in pictures] or sample_pictures()
    with tempfile.TemporaryDirectory(prefix="lic-demo-") as temporary:
        folder = Path(keep) if keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        warm = Image.new("RGB", (64, 64))
        loading = measure(warm, Path(temporary) / "warm.lic", "LIC", quality, {})
        print(f"networks loaded in {loading.write + loading.read:.2f} s (once per process)")
        for path in paths:
            with Image.open(path) as image:
                width, height = image.size
            print(f"\n{path.name}, {width}x{height}")
            print(f"{'format':8}{'quality':>8}{'bytes':>10}{'bpp':>8}{'PSNR dB':>9}{'encode s':>10}{'decode s':>10}")
            for row in compare(path, quality, folder):
                bpp = 8 * row.size / (width * height)
                print(
                    f"{row.name:8}{row.quality:>8g}{row.size:>10,}{bpp:>8.3f}{row.psnr:>9.2f}"
                    f"{row.write:>10.3f}{row.read:>10.3f}",
                    flush=True,
                )
    return 0
