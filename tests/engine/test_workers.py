"""Threads over tiles: order, bounds, and results that do not depend on them."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from made.pictures import photo_like
from made.tiled import in_tiles

from pillow_lic import codec
from pillow_lic.deadlines import check_time
from pillow_lic.engine import workers
from pillow_lic.engine.settings import current_settings, settings
from pillow_lic.errors import LicDamagedError
from pillow_lic.options import EncodeOptions


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    in_tiles(monkeypatch, 128)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("mode", ["RGB", "LA"])
def test_bytes_and_pixels_are_the_same_with_every_number_of_threads(mode: str) -> None:
    pixels = photo_like(300, 410, codec.CHANNELS[mode], seed=4)
    files, decoded = [], []
    for threads in (1, 2, 3, 8):
        with settings(threads=threads):
            files.append(codec.encode(pixels, mode, EncodeOptions(quality=7, roi=[(20, 30, 200, 250)])))
            decoded.append(codec.decode(files[0])[1])
    assert all(data == files[0] for data in files)
    for other in decoded:
        np.testing.assert_array_equal(other, decoded[0])


@pytest.mark.usefixtures("small_tiles")
def test_a_search_is_the_same_with_every_number_of_threads() -> None:
    pixels = photo_like(200, 260, seed=6)
    files = []
    for threads in (1, 2):
        with settings(threads=threads):
            files.append(codec.encode(pixels, "RGB", EncodeOptions(target_psnr=34)))
    assert files[0] == files[1]


def run_jobs(threads: int, jobs: int, max_memory: int = 10**9, held: int = 0) -> tuple[int, set[str], list[int]]:
    """Most jobs at once, the names of the threads, and the threads that the networks would get."""
    now, most, names, inner = 0, 0, set(), []
    lock = threading.Lock()

    def job() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            names.add(threading.current_thread().name)
            inner.append(current_settings().threads)
        time.sleep(0.04)
        with lock:
            now -= 1

    with settings(threads=threads, max_memory=max_memory), workers.over_tiles(jobs, 1000, held) as crew:
        for _ in range(jobs):
            crew.submit(job)
    return most, names, inner


def test_there_are_as_many_threads_as_were_asked_for() -> None:
    most, names, inner = run_jobs(threads=3, jobs=12)
    assert most == len(names) == 3
    assert set(inner) == {1}


def test_one_thread_is_the_callers_own() -> None:
    assert run_jobs(threads=1, jobs=5) == (1, {threading.current_thread().name}, [1] * 5)


def test_a_picture_of_one_tile_leaves_the_threads_to_the_networks_unless_it_is_small() -> None:
    for pixels, threads in ((workers.SMALL, 1), (workers.SMALL + 1, 4)):
        with settings(threads=4), workers.over_tiles(1, pixels) as crew:
            where = crew.submit(lambda: (threading.current_thread(), current_settings().threads)).result()
        assert where == (threading.current_thread(), threads)


@pytest.mark.parametrize(("room", "expected"), [(2.5, 2), (1.9, 1), (0.1, 1), (-100, 1), (50, 4)])
def test_memory_bounds_the_jobs_at_once(room: float, expected: int) -> None:
    job = 1000 * workers.BYTES_PER_PIXEL
    limit = workers.FIXED_BYTES + 700 + int(room * job)
    assert run_jobs(threads=4, jobs=12, max_memory=limit, held=700)[0] == expected


def test_jobs_that_wait_are_few() -> None:
    taken = 0
    release = threading.Event()

    def take() -> None:
        nonlocal taken
        with settings(threads=2), workers.over_tiles(100, 1) as crew:
            for _ in range(100):
                crew.submit(release.wait, 60)
                taken += 1

    thread = threading.Thread(target=take)
    thread.start()
    time.sleep(0.3)
    assert taken <= 2 * (1 + workers.AHEAD)
    release.set()
    thread.join()
    assert taken == 100


def test_an_error_reaches_the_caller_and_stops_the_rest() -> None:
    begun = []

    def job(i: int) -> None:
        begun.append(i)
        time.sleep(0.005)
        if i == 3:
            raise LicDamagedError("tile 3")

    def all_jobs() -> None:
        with settings(threads=2), workers.over_tiles(200, 1) as crew:
            for i in range(200):
                crew.submit(job, i)

    with pytest.raises(LicDamagedError, match="tile 3"):
        all_jobs()
    assert len(begun) < 30
    assert not [t for t in threading.enumerate() if t.name.startswith("lic-tile")]


def test_what_is_under_way_ends_when_nobody_waits_for_it() -> None:
    """A key that is pressed must not wait for every tile that was begun."""
    begun = threading.Barrier(3)

    def long_job() -> None:
        begun.wait()
        for _ in range(600):
            time.sleep(0.1)
            check_time()

    since = time.monotonic()
    with pytest.raises(KeyboardInterrupt), settings(threads=2), workers.over_tiles(9, 1) as crew:  # noqa: PT012 - the block is what is interrupted
        crew.submit(long_job)
        crew.submit(long_job)
        begun.wait()
        raise KeyboardInterrupt
    assert time.monotonic() - since < 30
    check_time()  # later work is not stopped


def test_without_a_thread_the_caller_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert run_jobs(threads=3, jobs=5) == (1, {threading.current_thread().name}, [1] * 5)


def test_a_job_that_waits_for_a_dropped_one_ends() -> None:
    begun = threading.Event()
    seen: list[BaseException] = []

    def wait_for(job: workers.Job[None]) -> None:
        begun.set()
        try:
            job.result()
        except Exception as error:
            seen.append(error)

    threads = workers._Threads(1)
    never = workers._Task[None](lambda: None)
    threads.put(workers._Task(lambda: wait_for(never)))
    threads.put(never)
    begun.wait()
    threads.end()
    assert len(seen) == 1


AT_THE_END = """
import atexit, io, sys, threading, time
from PIL import Image
import pillow_lic
from pillow_lic.families.lic1 import writing
from pillow_lic.fileformat.tiling import Tiling
writing.chosen_tiling = lambda w, h, _: Tiling(w, h, 128)
def work():
    time.sleep(0.5)
    data = pillow_lic.encode(Image.new("RGB", (300, 200), "teal"), quality=2)
    pillow_lic.open(data).load()
    print("done", flush=True)
if sys.argv[1] == "thread":
    threading.Thread(target=work).start()
else:
    atexit.register(work)
"""


@pytest.mark.parametrize("when", ["thread", "atexit"])
def test_pictures_of_several_tiles_after_main_has_ended(when: str) -> None:
    """Python makes no pool of `concurrent.futures` then."""
    program = [sys.executable, "-c", AT_THE_END, when]
    done = subprocess.run(
        program, env={**os.environ, "LIC_THREADS": "2"}, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout.strip(), done.returncode) == ("done", 0), done.stderr


def test_jobs_at_once_share_the_threads() -> None:
    together = threading.Barrier(3, timeout=10)
    seen = []

    def job(item: int) -> None:
        together.wait()
        seen.append((item, current_settings().threads))

    with settings(threads=7):
        workers.at_once(job, [1, 2, 3])
    assert sorted(seen) == [(1, 2), (2, 2), (3, 2)]


def test_what_one_of_the_jobs_at_once_raises_is_raised() -> None:
    def job(item: int) -> None:
        if item:
            raise LicDamagedError

    for items in ([0, 1], [1, 0]):
        with settings(threads=2), pytest.raises(LicDamagedError):
            workers.at_once(job, items)


def test_parts_are_all_of_the_rows_in_as_many_parts_as_there_are_threads() -> None:
    for threads, length, count in ((1, 100, 1), (4, 100, 4), (4, 25, 2), (4, 5, 1), (3, 31, 3), (99, 999, 16)):
        parts: list[tuple[int, int]] = []
        with settings(threads=threads):
            workers.in_parts(lambda first, last, to=parts: to.append((first, last)), length, 10)  # type: ignore[misc]
        assert len(parts) == count
        assert [row for part in sorted(parts) for row in range(*part)] == list(range(length))


def give_three(give: Callable[[int], object]) -> str:
    for item in range(3):
        give(item)
    return "given"


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_job_in_line_takes_what_the_first_gives(threads: int) -> None:
    with settings(threads=threads):
        assert workers.in_line(give_three, list) == ("given", [0, 1, 2])
        assert workers.in_line(give_three, next) == ("given", 0)


def test_a_job_in_line_works_while_the_first_gives() -> None:
    taken = threading.Event()

    def first(give: Callable[[int], object]) -> bool:
        give(1)
        return taken.wait(10)

    def then(items: Iterator[int]) -> int:
        next(items)
        taken.set()
        return current_settings().threads

    with settings(threads=5):
        assert workers.in_line(first, then) == (True, 2)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_job_in_line_raises_is_raised(threads: int) -> None:
    def broken(give: Callable[[int], object]) -> None:
        give(1)
        raise LicDamagedError

    def refuse(items: Iterator[int]) -> None:
        next(items)
        raise KeyError

    with settings(threads=threads):
        with pytest.raises(LicDamagedError):
            workers.in_line(broken, list)
        with pytest.raises(KeyError):
            workers.in_line(give_three, refuse)


def test_jobs_in_line_are_done_where_the_system_makes_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with settings(threads=2):
        assert workers.in_line(give_three, list) == ("given", [0, 1, 2])


def test_jobs_at_once_are_done_where_the_system_makes_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[int] = []
    with settings(threads=2):
        workers.at_once(done.append, [1, 2])
    assert sorted(done) == [1, 2]


DAEMON = """
import atexit, io, threading, time
import pillow_lic
from PIL import Image, ImageFile
picture = Image.effect_noise((700, 900), 40).convert("RGB")

def last():
    threading.Thread(target=picture.load).start()
    print(pillow_lic.open(pillow_lic.encode(picture, quality=1)).convert("L").size)

atexit.register(last)  # before the engine is there, so that it runs after the engine's own end
data = pillow_lic.encode(picture, quality=1)
begun = threading.Event()

def work():
    begun.set()
    while True:
        pillow_lic.open(data).load()

for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
time.sleep(0.3)
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_daemon_at_work_when_the_program_ends_is_no_crash(threads: str) -> None:
    """Threads of web servers are daemons: Python kills them where they ask for the interpreter, in C++ with an abort."""
    ran = subprocess.run(
        [sys.executable, "-c", DAEMON],
        env=os.environ | {"LIC_THREADS": threads},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "(700, 900)\n", "")
