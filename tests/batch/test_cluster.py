"""The same job on a Dask cluster: two worker processes on this machine."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import pillow_lic
from pillow_lic import __main__ as command
from pillow_lic.batch import cluster, jobs
from pillow_lic.batch.plan import Pair

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as found:
        yield found


@pytest.fixture
def photos(photo: Image.Image, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        photo.rotate(90 * number).save(folder / f"{number}.png")
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def test_convert_with_a_scheduler(local: Any, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "convert",
        "-q",
        "3",
        "--scheduler",
        local.scheduler_address,
        f"file://{photos}",
        f"file://{tmp_path}/out",
    ]
    assert command.main(words) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("5 converted, 0 there already, 1 failed; ")
    assert f"lic: {photos}/bad.png: cannot identify image file" in captured.err
    assert command.main(words) == 1
    assert capsys.readouterr().out.startswith("0 converted, 5 there already, 1 failed; ")
    pillow_lic.convert(photos / "1.png", tmp_path / "here.lic", quality=3)
    assert (tmp_path / "here.lic").read_bytes() == (tmp_path / "out/1.lic").read_bytes()


def test_stores_and_a_budget_across_workers(local: Any, photos: Path, tmp_path: Path) -> None:
    """local:// goes through fsspec in every worker, as s3:// would."""
    seen: list[tuple[int, int]] = []
    with cluster.connect(local.scheduler_address) as found:
        assert found.workers == 2
        summary = pillow_lic.convert(
            f"local://{photos}",
            f"local://{tmp_path}/out",
            budget=6000,
            progress=lambda _, finished, total: seen.append((finished, total)),
            **found._asdict(),
        )
    assert (len(summary.done), len(summary.failed)) == (5, 1)
    assert 0.99 * 6000 <= sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) <= 6000
    assert seen[-1] == (12, 12)
    assert len(local.workers) == 2  # it lives on


def name_of_process(pair: Pair) -> int:
    time.sleep(0.05)
    return os.getpid()


def test_all_workers_work(local: Any, photos: Path) -> None:
    pairs = [Pair(photos / "0.png", photos / f"{number}.lic") for number in range(20)]
    with cluster.connect(local.scheduler_address) as found:
        summary = jobs.run(pairs, name_of_process, makes=False, executor=found.executor)
    assert len({result.value for result in summary.done} - {os.getpid()}) == 2


# Mistakes


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    unsaid: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unsaid.append)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "host", "host:port"):
        assert command.main(["convert", "--scheduler", address, "a.png", "out"]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"lic: no Dask scheduler answers at {address}: ")
        assert said.count("\n") == 1
    gc.collect()
    assert not unsaid


def test_a_cluster_without_workers(capsys: pytest.CaptureFixture[str]) -> None:
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as empty:
        assert command.main(["convert", "--scheduler", empty.scheduler_address, "a.png", "out"]) == 1
    assert "has no workers: start some" in capsys.readouterr().err


def test_workers_of_another_version(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow_lic, "__version__", "9.9")
    with (
        pytest.raises(OSError, match=r"worker tcp://.* must have pillow-lic 9\.9, it answered: 0\."),
        cluster.connect(local.scheduler_address),
    ):
        pass


def test_dask_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert command.main(["convert", "--scheduler", "tcp://x:1", "a.png", "out"]) == 1
    assert capsys.readouterr().err == 'lic: a scheduler needs Dask: pip install "pillow-lic[dask]"\n'
    assert command.main(["convert", "--scheduler", "tcp://x:1", "-j", "2", "a.png", "out"]) == 1
    assert (
        capsys.readouterr().err == "lic: -j must be left out with --scheduler, the cluster has its own workers, got 2\n"
    )
