"""Which source becomes which target."""

import os
import time
from pathlib import Path, PurePosixPath

import pytest
from made.trees import names, not_entered, not_listed, touch

from pillow_lic.batch import formats, jobs, locations, plan
from pillow_lic.batch.plan import Pair


def test_directory_keeps_its_shape(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.jpg", tmp_path / "in/notes.txt", tmp_path / "in/old.lic")
    found = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic", readable=formats.is_picture)
    assert names(found, tmp_path) == [("in/a.png", "out/a.lic"), ("in/sub/b.jpg", "out/sub/b.lic")]


def test_the_destination_is_not_a_source(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.lic", tmp_path / "in/out/b.lic")
    found = plan.plan([tmp_path / "in"], tmp_path / "in/out", ".png")
    assert names(found, tmp_path) == [("in/a.lic", "in/out/a.png")]


def test_a_single_file(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    (tmp_path / "dir.lic").mkdir()
    for destination, expected in (("b.lic", "b.lic"), ("out", "out/a.lic"), ("dir.lic", "dir.lic/a.lic")):
        found = plan.plan([tmp_path / "a.png"], tmp_path / destination, ".lic")
        assert names(found, tmp_path) == [("a.png", expected)]


def test_what_cannot_be_made_is_known_beforehand(tmp_path: Path) -> None:
    found = plan.plan([tmp_path / "none*"], tmp_path / "out", ".lic")
    assert [pair.problem for pair in found] == [f"no file or folder matches {tmp_path / 'none*'}"]


def test_several_sources_of_one_name_are_rivals(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.gif", "a.jpg", "a.png", "b.png")))
    first, other = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert [pair.source.name for pair in (first, *first.rivals)] == ["a.gif", "a.jpg", "a.png"]
    assert (other.source.name, other.rivals) == ("b.png", ())


def test_rivals_are_foreseen(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.gif", "a.jpg", "a.png")))
    first, second, third = jobs.preview(plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")).results
    assert [first.outcome, second.outcome, third.outcome] == ["planned", "failed", "failed"]
    owner = tmp_path / "in/a.gif"
    assert second.error == third.error == f"{tmp_path / 'out/a.lic'} is made from {owner}: name another destination"


def test_the_first_of_rivals_that_can_be_made_has_the_name(tmp_path: Path) -> None:
    touch(*(tmp_path / "in" / name for name in ("a.bad", "a.jpg", "a.png")))

    def work(pair: Pair) -> None:
        if pair.source.suffix == ".bad":
            raise OSError("broken")
        locations.deliver(b"made", pair.target, locations.state(pair.source))

    for outcome in ("done", "skipped"):
        summary = jobs.run(plan.plan([tmp_path / "in"], tmp_path / "out", ".lic"), work)
        assert [(r.pair.source.name, r.outcome) for r in summary.results] == [
            ("a.bad", "failed"),
            ("a.jpg", outcome),
            ("a.png", "failed"),
        ]
        target, owner = tmp_path / "out/a.lic", tmp_path / "in/a.jpg"
        assert summary.failed[1].error == f"{target} is made from {owner}: name another destination"


def test_what_is_in_a_folder_and_no_source_is_told(tmp_path: Path) -> None:
    pictures = ("in/a.png", "in/sub/b.png")
    others = ("in/c.heic", "in/notes", "in/d.lic", "in/._a.png", "in/.Trashes/e.png", "in/sub/@eaDir/f.png")
    touch(*(tmp_path / name for name in (*pictures, *others, "else/g.png")))
    (tmp_path / "in/link").symlink_to(tmp_path / "else")
    told: dict[str, str] = {}
    found = plan.plan(
        [tmp_path / "in"],
        tmp_path / "out",
        ".lic",
        readable=formats.is_picture,
        passed_over=lambda place, reason: told.update({place.name: reason}),
    )
    assert [pair.source.name for pair in found] == ["a.png", "b.png"]
    assert told == {
        "c.heic": ".heic",
        "notes": "without extension",
        "d.lic": "already .lic",
        "._a.png": "beside-file of macOS",
        ".Trashes": "hidden folder",
        "@eaDir": "folder of a system",
        "link": "linked folder",
    }


@pytest.mark.parametrize("pattern", ["in/*", "in/**", "in/**/*.png"])
def test_a_pattern_opens_no_pipe(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/sub/b.png")
    os.mkfifo(tmp_path / "in/c.png")
    told: list[tuple[str, str]] = []
    found = plan.plan(
        [tmp_path / pattern], tmp_path / "out", ".lic", passed_over=lambda place, why: told.append((place.name, why))
    )
    assert {pair.source.name for pair in found} == {"a.png", "b.png"}
    assert told == [("c.png", "pipe or device")]
    (alone,) = plan.plan([tmp_path / "in/c.png"], tmp_path / "out", ".lic")
    assert not alone.problem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_a_pipe_in_a_folder_is_no_target(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/b.png")
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out/a.lic")
    found = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    words = f"{tmp_path / 'out/a.lic'} is a pipe or device: name it as the destination if it is to be written to"
    assert [pair.problem for pair in found] == [words, ""]
    (named,) = plan.plan([tmp_path / "in/a.png"], tmp_path / "out/a.lic", ".lic")
    assert not named.problem


def test_a_slash_at_the_end_names_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    (pair,) = plan.plan([tmp_path / "a.png"], f"{tmp_path}/b.lic/", ".lic")
    assert pair.target == tmp_path / "b.lic/a.lic"


@pytest.mark.parametrize("name", ["../a.png", "x/../../a.png", "/etc/a.png", "x/.."])
def test_no_name_leads_out_of_the_destination(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As archives and stores may have them, whatever lists them."""
    (tmp_path / "in").mkdir()
    listed = [(tmp_path / "in/a.png", PurePosixPath(name))]
    monkeypatch.setattr(plan.locations, "walk", lambda *_: iter(listed))
    (pair,) = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert "leads out of the destination" in pair.problem


def test_a_source_replaced_by_an_older_file_is_another_one(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.png")
    pairs = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")

    def work(pair: Pair) -> None:
        locations.deliver(b"made", pair.target, locations.state(pair.source))

    future = time.time() + 1e8
    steps = [(1.7e9, "done"), (1.7e9, "skipped"), (1.6e9, "done"), (1.6e9, "skipped"), (1.8e9, "done")]
    steps += [(future, "done"), (future, "skipped"), (1.6e9, "done"), (0, "done"), (0, "skipped"), (-1000, "done")]
    before = 0.0
    for when, outcome in steps:
        time.sleep(1.01 * (when < future == before))  # file systems tell seconds apart, not less
        os.utime(tmp_path / "in/a.png", (when, when))
        assert [result.outcome for result in jobs.run(pairs, work).results] == [outcome]
        before = when


def test_names_that_a_folder_takes_for_one_are_rivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS and Windows, where the second picture would replace the first."""
    touch(tmp_path / "in/A.png", tmp_path / "in/a.jpg", tmp_path / "in/b.png")
    assert len(plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")) == 3
    monkeypatch.setattr(locations, "_folds_case", lambda folder: True)
    found = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")
    assert [(pair.source.name, [rival.source.name for rival in pair.rivals]) for pair in found] == [
        ("A.png", ["a.jpg"]),
        ("b.png", []),
    ]


def test_a_folder_that_folds_names_is_known_by_what_is_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folds in (False, True):
        locations._folds_case.cache_clear()
        monkeypatch.setattr(locations, "is_same", lambda a, b, folds=folds: folds and a.name.lower() == b.name.lower())
        assert locations._folds_case(tmp_path / "not" / "there") == folds
    locations._folds_case.cache_clear()


def test_what_was_made_where_times_cannot_be_set_is_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "in/a.png")
    os.utime(tmp_path / "in/a.png", (1.6e9, 1.6e9))
    pairs = plan.plan([tmp_path / "in"], tmp_path / "out", ".lic")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuse)
    for outcome in ("done", "skipped"):
        found = jobs.run(pairs, lambda pair: locations.deliver(b"made", pair.target, locations.state(pair.source)))
        assert [result.outcome for result in found.results] == [outcome]


def test_the_same_file_is_planned_once(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    twice = [tmp_path / "a.png", Path(os.path.relpath(tmp_path)) / "a.png", tmp_path / "*.png"]
    assert names(plan.plan(twice, tmp_path / "out", ".lic"), tmp_path) == [("a.png", "out/a.lic")]
    assert names(plan.plan(twice, tmp_path / "b.lic", ".lic"), tmp_path) == [("a.png", "b.lic")]


def test_no_source_is_a_target(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "x.png", tmp_path / "y.jpg")
    for base in (tmp_path, Path(os.path.relpath(tmp_path))):
        found = plan.plan([tmp_path / "x.jpg", tmp_path / "x.png", tmp_path / "y.jpg"], base, ".png")
        assert [pair.problem for pair in found] == [
            f"{base / 'x.png'} is itself a source: name another destination",
            "",
            "",
        ]


def overwrite(pair: Pair) -> None:
    pair.target.parent.mkdir(parents=True, exist_ok=True)  # type: ignore[union-attr]
    pair.target.write_bytes(b"made")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "destination", "suffix", "kept"),
    [
        ("in", "in", ".png", "in/x.png"),
        ("in/*.jpg", "in", ".png", "in/x.png"),
        ("in/sub", "in", ".png", "in/z.png"),
        ("in/x.jpg", "in/x.png", ".png", "in/x.png"),
        ("in/a.lic", "in/x.lic", ".lic", "in/x.lic"),
        ("in/sub/*.lic", "in", ".lic", "in/x.lic"),
        ("in", "out", ".png", ""),
        ("in", "in", ".lic", ""),
        ("in/x.jpg", "in/x.lic", ".lic", ""),
    ],
)
def test_what_may_be_an_original_is_kept(tmp_path: Path, source: str, destination: str, suffix: str, kept: str) -> None:
    touch(*(tmp_path / name for name in ("in/x.png", "in/x.lic", "in/z.png", "out/x.png", "out/z.png")))
    touch(*(tmp_path / name for name in ("in/a.lic", "in/x.jpg", "in/sub/z.jpg", "in/sub/x.lic")))
    for name in ("in/a.lic", "in/x.jpg", "in/sub/z.jpg", "in/sub/x.lic"):
        os.utime(tmp_path / name, (3e9, 3e9))
    found = plan.plan([tmp_path / source], tmp_path / destination, suffix, readable=lambda p: p.suffix == ".jpg")
    summary = jobs.run(found, overwrite)
    said = "is there, older than its source, and may be an original: name another destination, or use force"
    assert [result.error for result in summary.failed] == ([f"{tmp_path / kept} {said}"] if kept else [])
    assert not kept or (tmp_path / kept).read_bytes() == b"x"
    assert not jobs.run(found, overwrite, force=True).failed


def test_what_was_made_beside_its_source_is_there_already(tmp_path: Path) -> None:
    touch(tmp_path / "x.jpg", tmp_path / "x.png")
    found = plan.plan([tmp_path], tmp_path, ".png")
    assert [result.outcome for result in jobs.run(found, overwrite).results] == ["skipped"]
    (tmp_path / "x.png").write_bytes(b"")
    assert [result.outcome for result in jobs.run(found, overwrite).results] == ["done"]


def test_a_star_of_the_shell_names_what_was_made_before(tmp_path: Path) -> None:
    touch(tmp_path / "a.lic", tmp_path / "a.png", tmp_path / "b.lic", tmp_path / "c.png")
    os.utime(tmp_path / "a.png", (3e9, 3e9))
    found = plan.plan(sorted(tmp_path.iterdir()), tmp_path, ".lic")
    assert names(found, tmp_path) == [("a.png", "a.lic"), ("b.lic", "b.lic"), ("c.png", "c.lic")]
    assert [result.outcome for result in jobs.run(found, overwrite).results] == ["skipped", "done", "done"]


def test_a_link_in_the_destination_is_kept_from_what_it_leads_to(tmp_path: Path) -> None:
    touch(tmp_path / "store/x.jpg", tmp_path / "in/x.png")
    (tmp_path / "in/x.jpg").symlink_to(tmp_path / "store/x.jpg")
    assert [p.keep for p in plan.plan([tmp_path / "in/x.jpg"], tmp_path / "in", ".png")] == [True]


def test_a_link_to_nothing_is_one_problem(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "gone")
    for sources in ([tmp_path / "*.png"], [tmp_path / "a.png", tmp_path / "b.png"]):
        found = plan.plan(sources, tmp_path / "out", ".lic")
        assert [p.problem for p in found] == ["", f"{tmp_path / 'b.png'} is a link to a file that does not exist"]


def test_a_file_is_no_folder_for_several(tmp_path: Path) -> None:
    touch(tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.lic")
    found = plan.plan([tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "c.lic", ".lic")
    assert [p.problem for p in found] == [f"destination must be a folder here, got the file {tmp_path / 'c.lic'}"] * 2


def test_an_empty_name_is_no_folder(tmp_path: Path) -> None:
    touch(tmp_path / "a.png")
    for sources, destination in (([""], tmp_path), ([tmp_path / "a.png"], "")):
        with pytest.raises(ValueError, match='must have a name, got ""; the current folder is "."'):
            plan.plan(sources, destination, ".lic")


def test_what_cannot_be_looked_up_after_it_was_written_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a store that takes files and shows none."""
    touch(tmp_path / "a.png")
    (pair,) = plan.plan([tmp_path / "a.png"], tmp_path / "out", ".lic")
    original = Path.stat

    def blind(path: Path, **more: bool) -> os.stat_result:
        if path == pair.target:
            raise PermissionError(13, "Permission denied")
        return original(path, **more)

    def work(pair: Pair) -> None:
        locations.deliver(b"made", pair.target, locations.state(pair.source))
        (tmp_path / "a.png").unlink()
        monkeypatch.setattr(Path, "stat", blind)

    assert [result.outcome for result in jobs.run([pair], work).results] == ["done"]


def test_a_folder_that_may_not_be_looked_into_costs_its_own_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "in/a.png", tmp_path / "in/closed/b.png")
    real = os.stat

    def refused(path: str | Path, *what: object, **how: object) -> os.stat_result:
        if str(path).startswith(str(tmp_path / "out/closed/")):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *what, **how)

    (tmp_path / "out/closed").mkdir(parents=True)
    monkeypatch.setattr(os, "stat", refused)
    summary = jobs.run(plan.plan([tmp_path / "in"], tmp_path / "out", ".lic"), lambda pair: touch(pair.target))
    assert [(r.pair.source.name, r.outcome) for r in summary.results] == [("b.png", "failed"), ("a.png", "done")]


def test_a_folder_that_shows_names_and_no_more_costs_its_own_files_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one with the right to list and not to enter."""
    touch(*(tmp_path / "in" / name for name in ("a/1.png", "b/2.png", "b/sub/3.png", "c/4.png")))
    not_entered(monkeypatch, tmp_path / "in/b")
    not_listed(monkeypatch, tmp_path / "in/b/sub")
    summary = jobs.run(plan.plan([tmp_path / "in"], tmp_path / "out", ".lic"), lambda pair: touch(pair.target))
    outcomes = {result.pair.source.name: result.outcome for result in summary.results}
    assert outcomes == {"1.png": "done", "2.png": "failed", "sub": "failed", "4.png": "done"}
