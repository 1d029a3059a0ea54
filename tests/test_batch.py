"""Many files: pairing, skipping, failing, dying workers; and the transcoder that does the work on pictures."""

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

import pillow_lic
from pillow_lic import batch, transcode
from pillow_lic.batch import Pair


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def copy(source: Path, target: Path) -> None:
    """The simplest work; a name tells it to misbehave. Here at the top so that worker processes find it."""
    if "bad" in source.name:
        msg = f"cannot read {source.name}"
        raise ValueError(msg)
    if "silent" in source.name:
        raise RuntimeError
    if "fatal" in source.name:
        os._exit(1)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def names(pairs: list[Pair], base: Path) -> list[tuple[str, str]]:
    return [(os.fspath(p.source.relative_to(base)), os.fspath(p.target.relative_to(base))) for p in pairs]


# Which source becomes which target


def test_directory_keeps_its_shape(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.jpg", tmp_path / "in/notes.txt", tmp_path / "in/old.lic")
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic", readable=transcode.is_picture)
    assert names(pairs, tmp_path) == [("in/a.png", "out/a.lic"), ("in/sub/b.jpg", "out/sub/b.lic")]


def test_the_destination_is_not_a_source(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.lic", tmp_path / "in/out/b.lic")
    pairs = batch.plan([tmp_path / "in"], tmp_path / "in/out", ".png")
    assert names(pairs, tmp_path) == [("in/a.lic", "in/out/a.png")]


def test_a_single_file(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    (tmp_path / "dir.lic").mkdir()
    for destination, expected in (("b.lic", "b.lic"), ("out", "out/a.lic"), ("dir.lic", "dir.lic/a.lic")):
        pairs = batch.plan([tmp_path / "a.png"], tmp_path / destination, ".lic")
        assert names(pairs, tmp_path) == [("a.png", expected)]


def test_patterns(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.jpg", tmp_path / "s/d.png", tmp_path / "x[1].png")
    pairs = batch.plan([tmp_path / "*.png"], tmp_path / "out", ".lic")
    assert [pair.source.name for pair in pairs] == ["a.png", "b.png", "x[1].png"]
    pairs = batch.plan([tmp_path / "**/*.png"], tmp_path / "out", ".lic")
    assert [pair.source.name for pair in pairs] == ["a.png", "b.png", "d.png", "x[1].png"]
    pairs = batch.plan([tmp_path / "x[1].png"], tmp_path / "out", ".lic")
    assert [pair.problem for pair in pairs] == [""]


def test_what_cannot_be_made_is_known_beforehand(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "a.jpg")
    pairs = batch.plan([tmp_path / "a.png", tmp_path / "a.jpg", tmp_path / "none*"], tmp_path / "out", ".lic")
    assert [pair.problem.split(" ", 1)[-1] for pair in pairs] == [
        "",
        f"is already made from {tmp_path / 'a.png'}",
        f"file is named or matches {tmp_path / 'none*'}",
    ]


def test_a_directory_that_cannot_be_listed_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/secret/b.png")
    original = os.scandir

    def refusing(path: str) -> object:
        if os.path.basename(path) == "secret":
            raise PermissionError(13, "Permission denied", path)
        return original(path)

    monkeypatch.setattr(os, "scandir", refusing)
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert [(pair.source.name, pair.problem[:30]) for pair in pairs] == [
        ("a.png", ""),
        ("secret", "[Errno 13] Permission denied: "),
    ]


def test_the_same_file_twice_is_no_conflict(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    pairs = batch.plan([tmp_path / "a.png", tmp_path / "*.png"], tmp_path / "out", ".lic")
    assert [pair.problem for pair in pairs] == ["", ""]


# Running


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_do_not_stop_the_rest(tmp_path: Path, workers: int) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "bad.png", "c.png", "silent.png")))
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    seen: list[tuple[str, int, int]] = []
    summary = batch.run(
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


def test_finished_targets_are_skipped(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/b.png")
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert len(batch.run(pairs, copy).done) == 2
    os.utime(tmp_path / "in/a.png", (2e9, 2e9))
    again = batch.run(pairs, copy)
    assert [result.pair.source.name for result in again.skipped] == ["b.png"]
    assert [result.pair.source.name for result in again.done] == ["a.png"]
    assert len(batch.run(pairs, copy, force=True).done) == 2


def test_a_source_that_vanished(tmp_path: Path) -> None:
    touch(tmp_path / "out.lic")
    summary = batch.run([Pair(tmp_path / "gone.png", tmp_path / "out.lic")], copy)
    assert "No such file" in summary.failed[0].error


def test_a_worker_that_dies_costs_its_pair_only(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.png", "b-fatal.png", "c.png", "d.png")))
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    summary = batch.run(pairs, copy, workers=2)
    assert [(r.pair.source.name, r.error) for r in summary.failed] == [("b-fatal.png", "the worker process died on it")]
    assert sorted(result.pair.source.name for result in summary.done) == ["a.png", "c.png", "d.png"]


PARENT = """
import sys
from pathlib import Path
from pillow_lic import batch
import test_batch
if __name__ == "__main__":
    pairs = [batch.Pair(Path(sys.argv[1]), Path(sys.argv[2]) / str(n)) for n in range(4)]
    batch.run(pairs, test_batch.tell_and_wait, workers=2)
"""


def tell_and_wait(source: Path, target: Path) -> None:
    target.write_text(str(os.getpid()))
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
    here = os.fspath(Path(__file__).parent)
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
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with ThreadPoolExecutor(3) as executor:
        assert len(batch.run(pairs, copy, executor=executor).done) == 20


def stop(source: Path, target: Path, after: list[int]) -> None:
    after[0] -= 1
    if after[0] < 0:
        raise KeyboardInterrupt
    copy(source, target)


def test_an_interrupted_run_goes_on_where_it_stood(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / f"{number}.png" for number in range(4)))
    pairs = batch.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    with pytest.raises(KeyboardInterrupt):
        batch.run(pairs, partial(stop, after=[2]))
    again = batch.run(pairs, copy)
    assert (len(again.skipped), len(again.done)) == (2, 2)


def test_workers_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        batch.run([], copy, workers=0)


# Pictures


@pytest.fixture
def photos(photo: Image.Image, tmp_path: Path) -> Path:
    """A folder of three pictures with metadata, one of them broken."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    exif = Image.Exif()
    exif[271] = "maker"
    photo.save(folder / "a.png", exif=exif, icc_profile=b"profile")
    photo.save(folder / "sub" / "b.jpg", exif=exif, xmp=b"<x/>")
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:200])
    for path in folder.rglob("*.*"):
        os.utime(path, (1.5e9, 1.5e9))
    return folder


def test_convert_there_and_back(photos: Path, tmp_path: Path, photo: Image.Image) -> None:
    summary = pillow_lic.convert(photos, tmp_path / "out", quality=8)
    assert [result.pair.source.name for result in summary.failed] == ["broken.png"]
    assert sorted(result.pair.target.name for result in summary.done) == ["a.lic", "b.lic"]
    with Image.open(tmp_path / "out/a.lic") as im:
        assert im.getexif()[271] == "maker"
        assert im.info["icc_profile"] == b"profile"
        assert im.info["quality"] == 8
    with Image.open(tmp_path / "out/sub/b.lic") as im:
        assert im.info["xmp"] == b"<x/>"
    assert (tmp_path / "out/a.lic").stat().st_mtime == 1.5e9
    for format_ in ("png", "jpg", "webp", "tif"):
        back = pillow_lic.convert(tmp_path / "out", tmp_path / format_, to=format_)
        assert (len(back.done), back.failed) == (2, [])
        with Image.open(tmp_path / format_ / "sub" / f"b.{format_}") as im:
            assert im.size == photo.size
            assert im.getexif()[271] == "maker"
            assert im.info["xmp"] == b"<x/>"


def test_convert_without_metadata(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos / "a.png", tmp_path / "a.lic", keep_metadata=False)
    with Image.open(tmp_path / "a.lic") as im:
        assert "exif" not in im.info
        assert im.info["icc_profile"] == b"profile"


def test_convert_with_workers(photos: Path, tmp_path: Path) -> None:
    summary = pillow_lic.convert([photos / "a.png", photos / "sub"], tmp_path / "out", workers=2, quality=3)
    assert len(summary.done) == 2
    one = pillow_lic.convert(photos / "a.png", tmp_path / "one.lic", quality=3)
    assert len(one.done) == 1
    assert (tmp_path / "one.lic").read_bytes() == (tmp_path / "out/a.lic").read_bytes()


def test_the_format_comes_from_the_destination(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos / "a.png", tmp_path / "x.webp")
    with Image.open(tmp_path / "x.webp") as im:
        assert im.format == "WEBP"


def test_mistakes_are_found_before_any_file_is_read(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="quality must be"):
        pillow_lic.convert(photos, tmp_path / "out", quality=0)
    with pytest.raises(ValueError, match=r"Pillow here writes no \.xyz files"):
        pillow_lic.convert(photos, tmp_path / "out", to="xyz")
    assert not (tmp_path / "out").exists()


def test_frames_are_not_lost_silently(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.gif", save_all=True, append_images=[photo.rotate(90)])
    summary = pillow_lic.convert(tmp_path / "a.gif", tmp_path / "a.lic")
    assert "picture has 2 frames" in summary.failed[0].error
    assert not (tmp_path / "a.lic").exists()


def test_the_photo_of_a_camera_with_a_preview(photo: Image.Image, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[photo.resize((24, 16))])
    assert pillow_lic.convert(tmp_path / "a.jpg", tmp_path / "a.lic").failed == []
    with Image.open(tmp_path / "a.lic") as im:
        assert im.size == photo.size


def test_an_old_target_survives_a_failure(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.lic"
    target.write_bytes(b"old")
    summary = pillow_lic.convert(photos / "broken.png", target, force=True)
    assert len(summary.failed) == 1
    assert target.read_bytes() == b"old"
