"""Make the test pictures of screens, one PNG each, in folders by class: `python -m tests.screens FOLDER`.

Needs matplotlib, pygments and scikit-image, and the Debian packages chromium-headless-shell, git-doc, python3-doc,
gimp-help-en and lomiri-wallpapers-20.04. None of the pictures belongs in the repository.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

from PIL import Image
from skimage import data

from .drawn import drawings
from .interfaces import interfaces
from .overlays import overlays
from .pages import Page, pages
from .programs import programs
from .worn import worn

BROWSER = "chromium-headless-shell"
WALLPAPERS = Path("/usr/share/backgrounds")


def photographs() -> list[Image.Image]:
    """Return the photographs that pages show."""
    found = [Image.fromarray(picture()) for picture in (data.astronaut, data.chelsea, data.coffee, data.rocket)]
    return [*found, Image.open(WALLPAPERS / "Fossa_by_Jasper_Roks.jpg")]


def photograph(page: Page, target: Path) -> None:
    """Have the browser draw a page into a PNG file, without its alpha channel."""
    with tempfile.TemporaryDirectory() as folder:
        source, shot = page.content, Path(folder) / "shot.png"
        if isinstance(source, str):
            source = Path(folder) / "page.html"
            source.write_text(str(page.content), encoding="utf-8")
        options = [f"--screenshot={shot}", f"--window-size={page.size[0]},{page.size[1]}"]
        options += [f"--force-device-scale-factor={page.ratio}", "--hide-scrollbars", "--no-sandbox", "--disable-gpu"]
        subprocess.run([BROWSER, *options, source.as_uri()], check=True, capture_output=True, timeout=120)
        Image.open(shot).convert("RGB").save(target)


def main(folder: Path) -> None:
    """Make every picture that is not there yet."""
    photos = photographs()
    for page in chain(pages(photos), interfaces(photos), programs(photos)):
        target = _place(folder, page.kind, page.name)
        if not target.exists():
            photograph(page, target)
    for kind, name, image in chain(drawings(), overlays(photos, folder), worn(photos, folder)):
        image.save(_place(folder, kind, name))


def _place(folder: Path, kind: str, name: str) -> Path:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    return folder / kind / f"{name}.png"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
