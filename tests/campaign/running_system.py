"""Processes that are killed, disks that are full, threads that meet: files are whole or untouched, pictures the same."""

import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import pillow_lic
from pillow_lic.files import TEMPORARY_MARK

WRITER = """
import sys
from pillow_lic.files import write_atomic
print("ready", flush=True)
while True:
    for byte in b"ab":
        write_atomic(sys.argv[1], bytes([byte]) * 2_000_000)
"""


def kill(share: float) -> str:
    """`kill -9` at random moments of `write_atomic`: the file is the old one or the new one, and nothing else."""
    random.seed(2)
    kills, left = round(200 * share), 0
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "a.bin")
        for _ in range(kills):
            process = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.08))
            process.kill()
            process.wait()
            process.stdout.close()
            if target.exists():
                data = target.read_bytes()
                assert data in (b"a" * 2_000_000, b"b" * 2_000_000), f"a file of {len(data)} bytes"
            parts = [path for path in Path(folder).iterdir() if path != target]
            assert all(path.name.endswith(TEMPORARY_MARK) for path in parts), f"unknown files {parts}"
            left += len(parts)
            for path in parts:
                path.unlink()
    return f"{kills} kills, no third state, {left} temporary files known by their names"


def disk(share: float) -> str:
    """Disks that are full, of a size limit, or read-only: OSError, the old file as it was, nothing left behind."""
    import resource

    photo = Image.effect_noise((256, 256), 90).convert("RGB")
    cases = 0
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with tempfile.TemporaryDirectory() as folder:
        for there in (False, True):
            target = Path(folder, "a.lic")
            target.unlink(missing_ok=True)
            if there:
                target.write_bytes(b"old")
            for limit in (1, 1000, 5000):
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, old[1]))
                try:
                    pillow_lic.save(photo, target, quality=9)
                except OSError:
                    cases += 1
                else:
                    msg = f"saved within {limit} bytes"
                    raise AssertionError(msg)
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, old)
                assert [path.read_bytes() for path in Path(folder).iterdir()] == [b"old"] * there, "something is left"
    signal.signal(signal.SIGXFSZ, handler)
    if os.path.exists("/dev/full"):
        for buffering in (0, -1):
            with contextlib.suppress(OSError), open("/dev/full", "wb", buffering=buffering) as full:
                pillow_lic.save(photo, full)
                full.flush()
                msg = "/dev/full took a file"
                raise AssertionError(msg)
            cases += 1
    return f"{cases} failures, every old file as it was"


def threads(share: float) -> str:
    """Threads that load one image, their own, and encode, all at once, with a small switch interval: the same pixels for all."""
    pictures = [Image.effect_noise((width, 150), 60).convert("RGB") for width in (64, 200, 1500)]
    files = [pillow_lic.encode(picture, quality=3) for picture in pictures]
    expected = [pillow_lic.open(data).tobytes() for data in files]
    wrong: list[str] = []
    go = threading.Barrier(8)
    rounds = max(1, round(50 * share))
    shared = [[pillow_lic.open(data) for data in files] for _ in range(rounds)]

    def work(number: int) -> None:
        go.wait()
        for turn in range(rounds):
            for index, data in enumerate(files):
                if pillow_lic.open(data).tobytes() != expected[index]:
                    wrong.append("own")
                if shared[turn][index].tobytes() != expected[index]:
                    wrong.append("shared")
            if number == 0 and pillow_lic.encode(pictures[0], quality=3) != files[0]:
                wrong.append("encoded")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong, f"{len(wrong)} differences: {sorted(set(wrong))}"
    return f"{8 * rounds * len(files) * 2} decodes by 8 threads, all the same"


def full_disk(share: float) -> str:
    """A file system of 64 KiB that is full, and a file that another file system holds in its place (Docker's way): nothing is half written."""
    import imageio.v3 as iio

    noise = Image.effect_noise((400, 400), 90).convert("RGB")
    writers: dict[str, Callable[[Path], object]] = {
        "save": lambda target: pillow_lic.save(noise, target, lossless=True),
        "imageio": lambda target: iio.imwrite(target, np.asarray(noise), lossless=True),
        "convert": lambda target: check(pillow_lic.convert(str(source), str(target), lossless=True, force=True)),
    }

    def check(summary: pillow_lic.Summary) -> None:
        if summary.failed:
            raise OSError(summary.failed[0].error)

    with contextlib.ExitStack() as stack:
        full, elsewhere = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        source = elsewhere / "a.png"
        noise.save(source)
        try:
            stack.enter_context(mounted(full, "-t", "tmpfs", "-o", "size=64k", "tmpfs"))
        except subprocess.CalledProcessError:
            return "not run: needs the rights to mount"
        for (name, writer), there in itertools.product(writers.items(), (False, True)):
            target = full / "a.lic"
            target.unlink(missing_ok=True)
            if there:
                target.write_bytes(b"old")
            with contextlib.suppress(OSError):
                writer(target)
                msg = f"{name} wrote to a full disk"
                raise AssertionError(msg)
            assert [path.read_bytes() for path in full.iterdir()] == [b"old"] * there, f"{name} left something"
        inner, held = full / "bound.lic", elsewhere / "held.lic"
        inner.write_bytes(b"old")
        held.write_bytes(b"held")
        stack.enter_context(mounted(inner, "--bind", held))
        with contextlib.suppress(OSError):
            pillow_lic.save(noise.resize((8, 8)), inner)
        assert held.read_bytes() == b"held" or pillow_lic.open(inner).size == (8, 8)
    return f"{2 * len(writers) + 1} failures, every old file as it was"


@contextlib.contextmanager
def mounted(place: Path, *words: str | Path) -> Iterator[None]:
    """Have something mounted for a `with` block; CalledProcessError without the rights."""
    subprocess.run(["mount", *words, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", place], check=True)


ENTRIES = (kill, disk, full_disk, threads)
