"""The words that `pillow_lic.convert` is called with: its own, those of the formats, and those that are none."""

import os
from pathlib import Path

import pytest
from PIL import Image

import pillow_lic


@pytest.fixture
def photos(photo: Image.Image, tmp_path: Path) -> Path:
    """A folder of two pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    photo.save(folder / "a.png")
    photo.save(folder / "b.jpg")
    return folder


@pytest.mark.parametrize(
    ("word", "to", "said"),
    [
        ("dryrun", None, r"'dryrun' \(did you mean 'dry_run'\?\)"),
        ("dryrun", "jpg", r"'dryrun' \(did you mean 'dry_run'\?\)"),
        ("keepmetadata", "webp", "'keep_metadata'"),
        ("worker", "png", "'workers'"),
        ("qualty", "lic", "'quality'"),
        ("target_sizes", "jpg", "'target_size'"),
        ("Force", None, "'force'"),
        ("nothing_like_it", None, "'nothing_like_it'"),
    ],
)
def test_a_mistyped_word_is_no_option_of_the_format(
    photos: Path, tmp_path: Path, word: str, to: str | None, said: str
) -> None:
    """`dryrun=True` would have written, and `keepmetadata=False` would have kept where a photo was taken."""
    with pytest.raises(TypeError, match=rf"convert\(\) has no option .*{said}"):
        pillow_lic.convert(photos, tmp_path / "out", to=to, **{word: True})
    assert not (tmp_path / "out").exists()


def test_words_of_other_formats_go_to_them(photos: Path, tmp_path: Path) -> None:
    small = pillow_lic.convert(photos / "a.png", tmp_path / "a.jpg", progressive=True, optimize=True, subsampling=2)
    assert [result.error for result in small.results] == [""]
    with Image.open(tmp_path / "a.jpg") as im:
        assert im.info["progressive"]
    assert pillow_lic.convert(photos / "a.png", tmp_path / "a.lic", optimize=True, comment="x").done


def test_names_may_be_bytes(photos: Path, tmp_path: Path) -> None:
    class Named:
        def __fspath__(self) -> bytes:
            return os.fsencode(photos / "b.jpg")

    out = os.fsencode(tmp_path / "out")
    assert len(pillow_lic.convert(os.fsencode(photos / "a.png"), out).done) == 1
    assert len(pillow_lic.convert([Named(), os.fsencode(photos / "a.png")], out, force=True).done) == 2  # type: ignore[list-item]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.lic", "b.lic"]
