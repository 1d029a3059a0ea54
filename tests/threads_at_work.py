"""Pictures written and read by several threads at the same time, each with several of its own: `run_sanitized.sh` watches them."""

import io
import os
import threading

import numpy as np
from PIL import Image

import pillow_lic

THREADS = 4


def photo() -> Image.Image:
    y, x = np.mgrid[:400, :500]
    noise = np.random.default_rng(0).normal(0, 5, x.shape)
    return Image.fromarray((128 + 90 * np.sin(x / 9) * np.cos(y / 13) + noise).clip(0, 255).astype(np.uint8))


def at_once(*jobs: object) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    gray = photo()

    def work() -> None:
        for image, words in (
            (gray.convert("RGB"), {"effort": 0}),
            (gray.convert("RGB"), {"effort": 1}),
            (gray, {"lossless": True}),
        ):
            data = pillow_lic.encode(image, **words)
            Image.open(io.BytesIO(data)).load()
            Image.open(io.BytesIO(data)).thumbnail((60, 60))
            with pillow_lic.open(data) as opened:
                opened.region((3, 3, 90, 90))

    with pillow_lic.settings(threads=THREADS):
        data = pillow_lic.encode(gray.convert("RGB"), effort=0)
    shared = Image.open(io.BytesIO(data))
    at_once(*[work] * 2, *[shared.load] * 4)
    print(f"{THREADS} threads in each of {2 + 4}")


if __name__ == "__main__":
    os.environ["LIC_THREADS"] = str(THREADS)
    main()
