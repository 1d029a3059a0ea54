"""Large pictures in bounded memory, measured in a child process: peak RSS over the pixels themselves.

LIC_TEST_MEGAPIXELS=100 pytest tests/codec/test_memory.py        # or 178; minutes, and 0.7 or 1.3 GB of memory
"""

import os
import subprocess
import sys

import pytest

MEGAPIXELS = float(os.environ.get("LIC_TEST_MEGAPIXELS", "6"))
CHILD = """
import resource, sys
import numpy as np
from PIL import Image
import pillow_lic
from pillow_lic import codec
from pillow_lic.options import EncodeOptions

def peak():
    # Linux counts in ru_maxrss what the process that started this one had.
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

what, path = sys.argv[2:]
width = int((float(sys.argv[1]) * 1.5e6) ** 0.5)
height = width * 2 // 3
square = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
corners = [(x, y) for y in range(0, height, 512) for x in range(0, width, 512)]
Image.MAX_IMAGE_PIXELS = None
"""
ACTIONS = {
    "encode": """
pixels = np.empty((height, width, 3), np.uint8)
for x, y in corners:
    part = pixels[y : y + 512, x : x + 512]
    part[...] = square[: part.shape[0], : part.shape[1]]
with open(path, "wb") as file:
    file.write(codec.encode(pixels, "RGB", EncodeOptions(effort=0, exact=False)))
own = pixels.nbytes
""",
    "refine": """
pixels = np.empty((height, width, 3), np.uint8)
for x, y in corners:
    part = pixels[y : y + 512, x : x + 512]
    part[...] = square[: part.shape[0], : part.shape[1]]
codec.encode(pixels, "RGB", EncodeOptions(model="lic1", effort=1, exact=False))
own = pixels.nbytes
""",
    "thumbnail": """
image = Image.open(path)
image.thumbnail((256, 256))
own = 0
""",
    "lossless": """
pixels = np.empty((height, width, 3), np.uint8)
for x, y in corners:
    part = pixels[y : y + 512, x : x + 512]
    part[...] = square[: part.shape[0], : part.shape[1]]
codec.encode(pixels, "RGB", EncodeOptions(lossless=True))
own = pixels.nbytes
""",
    "decode": """
with open(path, "rb") as file:
    own = codec.decode(file.read())[1].nbytes
assert own == 3 * width * height
""",
    "save": """
image = Image.new("RGB", (width, height))
for corner in corners:
    image.paste(Image.fromarray(square), corner)
image.save(path, "LIC", effort=0, exact=False)
own = (4 + 3) * width * height  # Pillow's four bytes for a pixel of RGB, and the array that the codec is given
""",
    "load": """
image = Image.open(path)
image.load()
assert image.size == (width, height)
own = 4 * width * height
""",
}


def over_the_pixels(path: object, what: str, megapixels: float, **environment: str) -> float:
    """Megabytes that a child took beside the pixels."""
    arguments = [
        sys.executable,
        "-c",
        CHILD + ACTIONS[what] + "print(peak() - own)",
        f"{megapixels}",
        what,
        f"{path}",
    ]
    done = subprocess.run(arguments, env=os.environ | environment, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1e6


@pytest.mark.slow
def test_memory_is_bounded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A picture of 6 MP has all of the fixed part: engine, networks and two tiles in work (encode 382, with an effort 796, decode 373 MB
    measured). What grows is the latents of two rows of tiles, 5 MB for a tile, and the file.
    """
    path = tmp_path_factory.mktemp("large") / "large.lic"
    for what in ACTIONS:
        bound = 500 if MEGAPIXELS <= 6 and what != "refine" else 1000
        found = over_the_pixels(path, what, MEGAPIXELS, LIC_THREADS="2")
        print(f"{what} of {MEGAPIXELS:g} MP: {found:.0f} MB over the pixels")
        assert found < bound
    if MEGAPIXELS <= 24:
        small = over_the_pixels(path, "decode", MEGAPIXELS, LIC_THREADS="4", LIC_MAX_MEMORY="1")
        large = over_the_pixels(path, "decode", MEGAPIXELS, LIC_THREADS="4", LIC_MAX_MEMORY="100000000000")
        print(f"decode with one tile in work: {small:.0f} MB, with four: {large:.0f} MB")
        # Three more tiles take 12 MB each with native layers, more with networks.
        assert small + 20 < large


SHORT = """
import resource, sys
import numpy as np
from PIL import Image
import pillow_lic

noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (600, 700, 3), np.uint8))
whole = pillow_lic.encode(noise, lossless=True)
page = Image.fromarray(np.where(np.arange(700) % 3, 255, 0).astype(np.uint8)[None].repeat(600, 0))
layer = pillow_lic.encode(page, exact=(0, 0, 700, 600))
jobs = {
    "load": lambda: pillow_lic.open(whole).load(),
    "load a layer": lambda: pillow_lic.open(layer).load(),
    "save": lambda: pillow_lic.encode(noise, lossless=True),
}
for job in jobs.values():
    job()
most = resource.getrlimit(resource.RLIMIT_AS)[1]
for megabytes in (0, 1, 2, 4, 6):
    for name, job in jobs.items():
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + int(megabytes * 2**20), most))
        try:
            job()
        except MemoryError:
            print("short of memory")
        except Exception as error:
            print(f"{name} with {megabytes} MB: {type(error).__name__}: {error}", file=sys.stderr)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_too_little_memory_says_nothing_about_the_file_or_the_options() -> None:
    """WebP's encoder raises ValueError for it, and its decoder OSError, as for a damaged stream."""
    done = subprocess.run(
        [sys.executable, "-c", SHORT],
        env=os.environ | {"LIC_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    assert "short of memory" in done.stdout
