"""The scripts people copy, run as they would run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, features

import pillow_lic

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(script: str, *words: object, cwd: Path, folder: Path = EXAMPLES) -> str:
    result = subprocess.run(
        [sys.executable, folder / script, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture
def photos(photo: Image.Image, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        photo.rotate(90 * number).save(folder / f"{number}.png")
    return folder


def test_every_example_is_run() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    tested |= {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert {path.stem for path in EXAMPLES.glob("*.py")} <= tested


def test_readme(photo: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snippets = re.findall(r"```python\n(.*?)```", (EXAMPLES.parent / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(snippets) == 6
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Image.Image, "show", lambda im: im.load())
    photo.save("photo.png")
    photo.save("screenshot.png")
    names: dict[str, object] = {}
    for snippet in snippets:  # a reader reads on: later ones use what earlier ones import
        exec(compile(snippet, "README.md", "exec"), names)
        for value in names.values():
            if isinstance(value, Image.Image):
                value.close()
        if snippet is not snippets[0] and "\nimport " in snippet:  # a beginning of its own
            Path("alone.py").write_text(snippet)
            run("alone.py", cwd=tmp_path, folder=tmp_path)
    assert Path("alone.py").exists()
    assert Path("copy.lic").stat().st_size < Path("photo.lic").stat().st_size < 40_000


def test_save_and_open(photos: Path) -> None:
    said = run("save_and_open.py", photos / "0.png", cwd=photos)
    assert said.count(" bytes") == 4
    assert (photos / "0-20k.png").is_file()
    assert (photos / "0-q9.lic").stat().st_size > (photos / "0-q3.lic").stat().st_size


def test_web_thumbnails(photos: Path, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no picture")
    Image.new("I;16", (9, 9)).save(photos / "0-16-bits.png")
    run("web_thumbnails.py", photos, tmp_path / "out", cwd=tmp_path)
    assert len(list((tmp_path / "out").iterdir())) == 9
    with Image.open(tmp_path / "out" / "0-160.lic") as im:
        assert im.size == (96, 64)


def test_dataset_loader(photos: Path, tmp_path: Path) -> None:
    pillow_lic.convert(photos, tmp_path / "data")
    said = run("dataset_loader.py", tmp_path / "data", 1, cwd=tmp_path)
    assert [line.split(":")[0] for line in said.splitlines()] == ["0.lic", "1.lic", "2.lic"]


def test_batch_with_progress(photos: Path, tmp_path: Path) -> None:
    said = run("batch_with_progress.py", photos, tmp_path / "out", cwd=tmp_path).splitlines()
    assert [line.split()[:2] for line in said[:3]] == [["1/3", "done"], ["2/3", "done"], ["3/3", "done"]]
    assert len(list((tmp_path / "out").glob("*.lic"))) == 3


@pytest.mark.skipif("avif" not in features.get_supported(), reason="this Pillow has no AVIF")
def test_compare_with_avif(photos: Path, tmp_path: Path) -> None:
    said = run("compare_with_avif.py", photos / "0.png", cwd=tmp_path)
    assert said.count("LIC") == said.count("AVIF") == 4
    assert (tmp_path / "comparison.svg").read_text().startswith("<svg")
