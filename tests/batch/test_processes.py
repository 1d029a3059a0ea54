"""Worker processes: interrupts at any moment, workers that never begin, workers that die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pillow_lic.batch import processes

PROGRAM = """
import os, sys, time
from pathlib import Path
from pillow_lic.batch import processes

def slow(item):
    Path(sys.argv[1], f"begun{item}").touch()
    time.sleep(float(sys.argv[2]))
    return item

if __name__ == "__main__":
    try:
        processes.run(range(20), slow, 2, lambda item, value: print(value, flush=True), print, print)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


def start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    (folder / "program.py").write_text(PROGRAM)
    words = [sys.executable, str(folder / "program.py"), str(folder), str(seconds)]
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.SIG_DFL
        ),  # a shell's background job inherits that it is ignored
    )


def wait_for(folder: Path, count: int) -> None:
    for _ in range(600):
        if len(list(folder.glob("begun*"))) >= count:
            return
        time.sleep(0.05)
    pytest.fail("the workers never began")


pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals to a group of processes")


def test_an_interrupt_lets_what_is_under_way_finish(tmp_path: Path) -> None:
    with start(tmp_path, 1.5) as program:
        wait_for(tmp_path, 2)
        os.killpg(program.pid, signal.SIGINT)
        said, wrong = program.communicate(timeout=30)
    assert program.returncode == 130
    assert sorted(said.split()) == ["0", "1", "interrupted"]
    assert wrong == ""


@pytest.mark.parametrize("pause", [0, 0.02, 0.3])
def test_a_second_interrupt_ends_it_at_once(tmp_path: Path, pause: float) -> None:
    with start(tmp_path, 60) as program:
        wait_for(tmp_path, 2)
        begun = time.monotonic()
        os.killpg(program.pid, signal.SIGINT)
        time.sleep(pause)
        for _ in range(20):  # two that come together are one to the system
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGINT)
                time.sleep(0.2)
        said, wrong = program.communicate(timeout=30)
        assert time.monotonic() - begun < 20
    assert program.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in wrong.partition("KeyboardInterrupt")[2]


def test_an_interrupt_while_workers_start_reaches_none_of_them(tmp_path: Path) -> None:
    with start(tmp_path, 0) as program:
        children = Path(f"/proc/{program.pid}/task/{program.pid}/children")
        if not children.exists():
            pytest.skip("looks processes up in /proc")
        while program.poll() is None and len(children.read_text().split()) < 2:
            time.sleep(0.001)
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGINT)
        assert all(is_spared(child) for child in children.read_text().split())
        said, wrong = program.communicate(timeout=60)
    assert (program.returncode, wrong) == (0, "")
    assert len(said.split()) == 20


def is_spared(process: str) -> bool:
    """Whether a process blocks or ignores Ctrl-C, or is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return True
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigBlk:", "SigIgn:"))]
    return any(mask >> (signal.SIGINT - 1) & 1 for mask in masks)


def test_a_program_without_a_guard_is_told_so(tmp_path: Path) -> None:
    script = "from pillow_lic.batch import processes\nprocesses.run(range(9), len, 2, print, print, print)\n"
    (tmp_path / "script.py").write_text(script)
    for words, given in (([str(tmp_path / "script.py")], None), (["-"], script)):
        ran = subprocess.run([sys.executable, *words], input=given, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 1
        assert 'guard its own start with `if __name__ == "__main__":`' in ran.stderr
        assert ran.stdout == ""


@pytest.mark.parametrize("room", [0, 1])
def test_workers_are_as_many_as_the_system_starts(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, answers, started = processes._Worker, [], []

    def start() -> processes._Worker[int]:
        if len(started) == room:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(real())
        return started[-1]

    monkeypatch.setattr(processes, "_Worker", start)

    def run() -> None:
        processes.run(range(-3, 0), abs, 4, lambda item, value: answers.append((item, value)), print, print)

    if room:
        run()
        assert answers == [(-3, 3), (-2, 2), (-1, 1)]
    else:
        with pytest.raises(
            RuntimeError, match=r"no worker process can be started \(\[Errno 11\] .*\): workers must be 1 here"
        ):
            run()


def test_a_worker_without_room_for_a_thread_works(tmp_path: Path) -> None:
    """It starts one to end with its parent."""
    script = """
import threading
from pillow_lic.batch import processes

def none(self):
    raise RuntimeError("can't start new thread")

threading.Thread.start = none
if __name__ == "__main__":
    processes.run([-1], abs, 1, print, print, print)
"""
    (tmp_path / "script.py").write_text(script)
    ran = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("-1 1\n", "")


@pytest.mark.parametrize("given", [None, "3"])
def test_numpy_starts_no_threads_in_workers(given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be one for each processor in each worker."""
    name, answers = "OPENBLAS_NUM_THREADS", []
    if given is None:
        monkeypatch.delenv(name, raising=False)
    else:
        monkeypatch.setenv(name, given)
    processes.run([name], os.getenv, 1, lambda _, value: answers.append(value), print, print)
    assert answers == [given or "1"]


def forever(item: int) -> None:
    time.sleep(600)


def test_a_time_limit_ends_it_at_once() -> None:
    class TimeLimit(Exception):
        pass

    def ring(*_: object) -> None:
        raise TimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 3)
        begun = time.monotonic()
        with pytest.raises(TimeLimit):
            processes.run(range(4), forever, 2, print, print, print)
        assert time.monotonic() - begun < 60
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_worker_of_others_is_told_that_it_may_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="workers must be 1"):
        processes.run(range(4), odd, 2, print, print, print)


def odd(item: int) -> int:
    if item == 3:
        os._exit(1)
    if item == 5:
        raise ValueError
    return 10 * item


def test_every_item_has_one_answer() -> None:
    told: list[tuple[str, int, object]] = []
    processes.run(
        range(8),
        odd,
        3,
        lambda item, value: told.append(("answered", item, value)),
        lambda item, words: told.append(("failed", item, words)),
        lambda item: told.append(("died", item, None)),
    )
    expected = [("answered", item, 10 * item) for item in (0, 1, 2, 4, 6, 7)]
    assert sorted(told) == sorted([*expected, ("failed", 5, "ValueError"), ("died", 3, None)])


def lock(item: int) -> object:
    return threading.Lock()


def test_what_does_not_pickle_is_a_failure_of_its_item() -> None:
    told: list[str] = []
    processes.run([1], lock, 1, print, lambda _, words: told.append(words), print)
    assert told == ["cannot pickle '_thread.lock' object"]
