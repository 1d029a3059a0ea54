"""Fixtures of several test modules: a small photo, and the same as a file."""

from collections.abc import Iterator
from pathlib import Path

import browser
import hypothesis
import pytest
from pictures import SAMPLE
from PIL import Image

hypothesis.settings.register_profile("untimed", deadline=None)  # other work on the machine must not fail a test
hypothesis.settings.load_profile("untimed")


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A photo of 96x64 pixels, RGB."""
    with Image.open(SAMPLE) as im:
        return im.convert("RGB").crop((120, 60, 312, 188)).resize((96, 64))


@pytest.fixture
def lic(photo: Image.Image, tmp_path: Path) -> Path:
    """The photo as a .lic file with EXIF and XMP."""
    import pillow_lic

    exif = Image.Exif()
    exif[274] = 6
    path = tmp_path / "photo.lic"
    pillow_lic.save(photo, path, quality=6, exif=exif, xmp="<x/>")
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[browser.Browser]:
    """A headless Chromium."""
    if browser.PROGRAM is None:
        pytest.skip("needs Chromium")
    with browser.started() as found:
        yield found
