"""Write pictures of ours under the names of imageio's test images: python imageio_pictures.py FOLDER.

imageio keeps its own in a repository apart from its releases; the tests we run ask for no more than their kind and size.
"""

import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    with files("pillow_lic").joinpath("bench/chelsea.webp").open("rb") as fp, Image.open(fp) as opened:
        cat = opened.convert("RGB")
    cat.save(folder / "chelsea.png")
    cat.convert("L").resize((512, 512)).save(folder / "bricks.jpg")
    frames = [cat.rotate(10 * i).resize((200, 150)) for i in range(36)]
    frames[0].save(folder / "newtonscradle.gif", save_all=True, append_images=frames[1:], duration=100, loop=0)
    frames[0].save(folder / "multipage_rgb.tif", save_all=True, append_images=frames[1:2])
    volume = np.random.default_rng(1).integers(0, 256, (256, 128, 128), dtype=np.uint8)
    np.savez_compressed(folder / "stent.npz", volume)
