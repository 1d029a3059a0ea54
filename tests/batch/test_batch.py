"""Work over many files: skipping, failing, dying workers, executors."""

import os
import shutil
import subprocess
import sys
import time
import warnings
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from made.trees import touch

from pillow_lic.batch import jobs, locations, results
from pillow_lic.batch.plan import Pair, plan


def copy(pair: Pair) -> None:
    """The simplest work; a name tells it to misbehave. Here at the top so that worker processes find it."""
    if "bad" in pair.source.name:
        msg = f"cannot read {pair.source.name}"
        raise ValueError(msg)
    if "silent" in pair.source.name:
        raise RuntimeError
    if "fatal" in pair.source.name:
        os._exit(1)
    pair.target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(pair.source, pair.target)


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_do_not_stop_the_rest(tmp_path: Path, workers: int) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "bad.png", "c.png", "silent.png")))
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    seen: list[tuple[str, int, int]] = []
    summary = jobs.run(
        pairs, copy, workers=workers, progress=lambda result, done, total: seen.append((result.outcome, done, total))
    )
    assert {r.pair.source.name: r.error for r in summary.failed} == {
        "bad.png": "cannot read bad.png",
        "silent.png": "RuntimeError",
    }
    assert sorted(result.pair.target.name for result in summary.done) == ["a.lic", "c.lic"]
    assert (summary.bytes_in, summary.bytes_out) == (2, 2)
    assert summary.seconds > 0
    assert [(done, total) for _, done, total in seen] == [(1, 4), (2, 4), (3, 4), (4, 4)]


def warn(pair: Pair) -> None:
    warnings.warn("a module will go", DeprecationWarning, stacklevel=1)
    for _ in range(2):  # what reads a file twice warns twice
        warnings.warn("colours were lost", UserWarning, stacklevel=1)
    copy(pair)


def test_warnings_for_programmers_are_none_of_a_picture(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png")
    (result,) = jobs.run(plan([tmp_path / "in"], tmp_path / "out", ".lic"), warn).results
    assert result.warnings == ("colours were lost",)


def test_finished_targets_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/b.png")
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert len(jobs.run(pairs, copy).done) == 2
    os.utime(tmp_path / "in/a.png", (2e9, 2e9))
    again = jobs.run(pairs, copy)
    assert [result.pair.source.name for result in again.skipped] == ["b.png"]
    assert [result.pair.source.name for result in again.done] == ["a.png"]
    assert len(jobs.run(pairs, copy, force=True).done) == 2


def test_a_source_that_vanished(tmp_path: Path) -> None:
    touch(tmp_path / "out.lic")
    summary = jobs.run([Pair(tmp_path / "gone.png", tmp_path / "out.lic")], copy)
    assert "No such file" in summary.failed[0].error


@pytest.mark.parametrize(
    ("keep", "age", "outcome", "error"),
    [(True, 1e9, "failed", "may be an original"), (True, 3e9, "skipped", ""), (False, 3e9, "done", "")],
)
def test_a_second_try_keeps_what_may_be_an_original(
    tmp_path: Path, keep: bool, age: float, outcome: str, error: str
) -> None:
    """That of a pair whose worker died: a whole target is of the first try, or was there before."""
    touch(tmp_path / "a.jpg")
    os.utime(tmp_path / "a.jpg", (2e9, 2e9))
    (tmp_path / "a.png").write_bytes(b"original")
    os.utime(tmp_path / "a.png", (age, age))
    rules = jobs._Rules(makes=True, force=False, recorded=False, again=True)
    result = jobs._try(copy, rules, Pair(tmp_path / "a.jpg", tmp_path / "a.png", keep=keep))
    assert result.outcome == outcome
    assert error in result.error
    assert ((tmp_path / "a.png").read_bytes() == b"original") == keep


def test_a_worker_that_dies_costs_its_pair_only(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "b-fatal.png", "c.png", "d.png")))
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    summary = jobs.run(pairs, copy, workers=2)
    assert [(r.pair.source.name, r.error) for r in summary.failed] == [("b-fatal.png", "the worker process died on it")]
    assert sorted(result.pair.source.name for result in summary.done) == ["a.png", "c.png", "d.png"]


def make_and_die_once(pair: Pair) -> None:
    """Make the target; the first time the process dies before it can say so."""
    first = not pair.target.exists()
    copy(pair)
    if first:
        os._exit(1)


def test_a_pair_made_but_not_reported_when_its_worker_died_is_done_and_not_skipped(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/b.png")
    summary = jobs.run(plan([tmp_path / "in"], tmp_path / "out", ".lic"), make_and_die_once, workers=2)
    assert {r.pair.source.name: r.outcome for r in summary.results} == {"a.png": "done", "b.png": "done"}


PARENT = """
import sys
from pathlib import Path
from pillow_lic.batch import jobs
from pillow_lic.batch.plan import Pair
from batch import test_batch
if __name__ == "__main__":
    pairs = [Pair(Path(sys.argv[1]), Path(sys.argv[2]) / str(n)) for n in range(4)]
    jobs.run(pairs, test_batch.tell_and_wait, workers=2)
"""


def tell_and_wait(pair: Pair) -> None:
    pair.target.write_text(str(os.getpid()))
    time.sleep(60)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    touch(tmp_path / "a.png")
    (tmp_path / "out").mkdir()
    command = [sys.executable, tmp_path / "parent.py", tmp_path / "a.png", tmp_path / "out"]
    here = os.fspath(Path(__file__).parents[1])
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": here}) as process:
        workers: list[int] = []
        for _ in range(600):
            workers = [int(path.read_text() or 0) for path in (tmp_path / "out").iterdir()]
            if len(workers) == 2 and all(workers):
                break
            time.sleep(0.05)
        process.kill()
    assert len(set(workers)) == 2
    for _ in range(200):
        if not any(alive(worker) for worker in workers):
            break
        time.sleep(0.05)
    assert not any(alive(worker) for worker in workers)


def test_any_executor(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / f"{number:02}.png" for number in range(20)))
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with ThreadPoolExecutor(3) as executor:
        assert len(jobs.run(pairs, copy, executor=executor).done) == 20


class Failing(ThreadPoolExecutor):
    """Breaks or loses what it is given from the third pair on, in one of the ways that executors have."""

    def __init__(self, how: BaseException | None) -> None:
        super().__init__(1)
        self.how, self.left = how, 2

    def submit(self, *words: Any, **more: Any) -> Future[Any]:
        self.left -= 1
        if self.left >= 0:
            return super().submit(*words, **more)
        future: Future[Any] = Future()
        if self.how is None:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(self.how)
        return future


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (None, "the executor stopped before it was done"),
        (BrokenExecutor(), "the executor stopped before it was done"),
        (ModuleNotFoundError("No module named 'pillow_lic'"), "No module named 'pillow_lic'"),
    ],
)
def test_no_pair_is_lost_with_an_executor(tmp_path: Path, how: BaseException | None, said: str) -> None:
    touch(*(tmp_path / "in" / f"{number:03}.png" for number in range(300)))
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with Failing(how) as executor:
        summary = jobs.run(pairs, copy, executor=executor)
    assert len(summary.done) == 2
    assert len(summary.failed) == 298
    assert {result.error for result in summary.failed} == {said}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("raised", [BrokenExecutor, KeyError])
def test_what_progress_raises_is_no_failure_of_a_picture(tmp_path: Path, workers: int, raised: type[Exception]) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/b.png")
    seen: list[str] = []

    def progress(result: results.Result, finished: int, total: int) -> None:
        seen.append(result.outcome)
        raise raised

    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with pytest.raises(raised):
        jobs.run(pairs, copy, workers=workers, progress=progress)
    assert seen == ["done"]


def length(pair: Pair) -> int:
    return len(pair.source.name)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_survey_makes_nothing(tmp_path: Path, workers: int) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "bbb.png", "done.png")), tmp_path / "out/done.lic")
    pairs = [*plan([tmp_path / "in"], tmp_path / "out", ".lic"), Pair(tmp_path / "x", tmp_path / "y", "no such file")]
    summary = jobs.run(pairs, length, makes=False, workers=workers)
    assert sorted(result.value for result in summary.done) == [5, 7]
    assert [(result.pair.target.name, result.bytes_out) for result in summary.skipped] == [("done.lic", 1)]
    assert [result.error for result in summary.failed] == ["no such file"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["done.lic"]
    assert len(jobs.run(pairs, length, makes=False, force=True).done) == 3


def stop(pair: Pair, after: list[int]) -> None:
    after[0] -= 1
    if after[0] < 0:
        raise KeyboardInterrupt
    copy(pair)


def test_an_interrupted_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / f"{number}.png" for number in range(4)))
    pairs = plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with pytest.raises(KeyboardInterrupt):
        jobs.run(pairs, partial(stop, after=[2]))
    again = jobs.run(pairs, copy)
    assert (len(again.skipped), len(again.done)) == (2, 2)


@pytest.mark.parametrize("workers", [0, 1.5, "2"])
def test_workers_are_counted_from_one(workers: int) -> None:
    with pytest.raises(ValueError, match=f"workers must be a whole number, at least 1, got {workers!r}"):
        jobs.run([], copy, workers=workers)


@pytest.mark.parametrize("protected", ["folder", "target", "source"])
def test_what_cannot_be_read_or_written_is_found_before_any_work(
    protected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each of ten thousand pictures is made first, and a dry run plans what fails.

    Of a device only what it takes is known, not what is beside it.
    """
    touch(tmp_path / "in/a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.lic").touch()
    place = tmp_path / {"folder": "out", "target": "out/a.lic", "source": "in/a.png"}[protected]
    access = os.access

    def denied(path: Path, *rest: Any, **words: Any) -> bool:  # root may write anywhere
        return path not in (place, Path("/dev")) and access(path, *rest, **words)

    monkeypatch.setattr(locations.os, "access", denied)
    (pair,) = plan([tmp_path / "in/a.png"], tmp_path / "out/new" if protected == "folder" else tmp_path / "out", ".lic")
    refusal = f"[Errno 13] Permission denied: '{place}'"
    assert [result.error for result in jobs.preview([pair]).failed] == [refusal]
    assert [result.error for result in jobs.run([pair], pytest.fail).failed] == [refusal]
    assert not locations.obstacle(Path("/dev/null"))
