"""Truncated, mutated and lying files: each is refused with a sentence, or is a picture of the size that its header says."""

import io
import random
import time
import tracemalloc

import targets
from PIL import Image, ImageFile

import pillow_lic
from pillow_lic.engine import models
from pillow_lic.fileformat import container, header
from pillow_lic.fileformat.tiling import Tiling

MUTATIONS, LOADED = 100_000, 2_000


def truncation(share: float) -> str:
    """Every length of small files: refused when it is loaded strictly; of every 37th, what there is comes out when it is not."""
    cases = pictures = 0
    step = max(1, round(1 / share))
    for data in targets.seeds():
        for length in range(0, len(data), step):
            cases += 1
            assert not targets.parse(data[:length]), f"{length} of {len(data)} bytes parse"
        for length in range(16, len(data), 37 * step):
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            try:
                im = pillow_lic.open(data[:length])
                im.load()
                pictures += 1
            except OSError as error:
                _check_sentence(error)
            finally:
                ImageFile.LOAD_TRUNCATED_IMAGES = False
    return f"{cases} lengths refused, {pictures} pictures out of parts"


def mutation(share: float) -> str:
    """Random changes of 1-16 places, checksums made right in every second: parsed, and a share decoded by the networks."""
    random.seed(1)
    seeds = list(targets.seeds())
    accepted = loaded = 0
    count = round(MUTATIONS * share)
    every = max(1, MUTATIONS // LOADED)
    for number in range(count):
        data = mutated(bytearray(random.choice(seeds)), random.randint(1, 16))
        if number % 2:
            data = targets.resealed(data)
        accepted += targets.parse(data)
        if number % every == 1:
            loaded += targets.open_picture(data)
    return f"{count} files, {accepted} of them sound, {loaded} of {count // every} that the networks saw were pictures"


def mutated(data: bytearray, changes: int) -> bytes:
    """Return the bytes with so many of them flipped, inserted, deleted, repeated or set to an end of the range."""
    for _ in range(changes):
        place = random.randrange(len(data)) if data else 0
        kind = random.randrange(5)
        if kind == 0 and data:
            data[place] ^= 1 << random.randrange(8)
        elif kind == 1:
            data.insert(place, random.randrange(256))
        elif kind == 2 and data:
            del data[place : place + random.randint(1, 8)]
        elif kind == 3:
            data[place:place] = data[place : place + random.randint(1, 8)]
        elif data:
            data[place] = random.choice((0, 1, 127, 128, 255))
    return bytes(data)


def _check_sentence(error: OSError) -> None:
    assert str(error), f"a {type(error).__name__} without a sentence"


def bombs(share: float) -> str:
    """Small files that claim much: refused, in little time and memory beside the pixels that Pillow makes room for."""
    model = models.choose(None)
    slowest, largest, cases = 0.0, 0, 0
    for mode, width, height, edge in (
        ("RGB", 65535, 2730, 1024),
        ("RGBA", 13376, 13376, 2048),
        ("L", 13376, 13376, 128),
        ("RGB", 1, 65535, 128),
    ):
        head = header.Header(mode, width, height, edge, model.number, model.hash, 0)
        alpha = b"\1\x80" if head.has_alpha else None
        whole = container.pack(head, [bytes(7)] * Tiling(width, height, edge).count, alpha=alpha)
        for data in (whole, whole[:60], header.write_header(head) + b"\x90\0" * 100):
            tracemalloc.start()
            begun = time.process_time()
            try:
                Image.MAX_IMAGE_PIXELS = None
                Image.open(io.BytesIO(data)).verify()
                Image.open(io.BytesIO(data)).load()
            except OSError as error:
                _check_sentence(error)
            else:
                msg = f"{mode} {width}x{height} was loaded"
                raise AssertionError(msg)
            cases += 1
            slowest = max(slowest, time.process_time() - begun)
            largest = max(largest, tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert largest < 3e8, f"{largest / 1e6:.0f} MB"
    return (
        f"{cases} files refused, in at most {slowest:.2f} s of processor and {largest / 1e6:.0f} MB of Python's memory"
    )


ENTRIES = (truncation, mutation, bombs)
