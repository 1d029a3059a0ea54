"""`lic view`: one picture in the desktop's viewer, several on a page that holds them all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from PIL import Image

from .. import color, metadata
from ..batch import formats
from ..errors import let_pass
from ..files import is_same, may_be_read, named, write_atomic
from ..pages import document
from . import opening

PAGE_EDGE = 2048
"""The longest edge in pixels of a picture on a page: that of a large screen. The viewer gets every pixel."""
MANY = 24
"""With more pictures than these a page has them at half that edge, which makes it and its bytes a third to a quarter."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Shown:
    """A picture ready to be seen, or why it cannot be: `image` is upright and of a stored mode, None with a `fault`.

    size: width and height in the file, upright. bytes: of the file.
    """

    path: Path
    image: Image.Image | None
    size: tuple[int, int] = (0, 0)
    bytes: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Outcome:
    """The file that was made to be seen, whether a program was found to open it, and the pictures that failed."""

    path: Path
    is_open: bool
    failed: list[Shown]


def view(names: Sequence[str], out: Path | None = None, say: Say = lambda _: None) -> Outcome:
    """Show pictures of any format Pillow reads; of a folder those in it.

    A single picture becomes a PNG file for the desktop's viewer; several, or one that cannot be shown, a page. With `out`
    the page is written there, whatever it shows, and not opened. `say` is told of every picture before it is decoded.
    ValueError for a folder without pictures, and for a page that is one of the pictures.
    """
    paths = list(_pictures(names))
    if out is not None and any(is_same(path, out) for path in paths):
        msg = f"the page must be another file than the pictures on it, got {out}"
        raise ValueError(msg)
    failed: list[Shown] = []
    if len(paths) == 1 and out is None:
        (shown,) = load(paths, None, failed, say)
        if shown.image is not None:
            target = opening.folder_for_viewing() / f"{paths[0].stem[:60]}.png"  # 255 bytes at most
            data = io.BytesIO()
            shown.image.save(data, "PNG", compress_level=1, icc_profile=shown.image.info.get("icc_profile"))
            write_atomic(target, data.getbuffer())
            return Outcome(target, opening.opened(target), [])
        text = page([shown])
    else:
        edge = PAGE_EDGE if len(paths) <= MANY else PAGE_EDGE // 2
        text = page(load(paths, edge, failed, say))
    target = out or opening.folder_for_viewing() / "pictures.html"
    write_atomic(target, text.encode())
    return Outcome(target, out is None and opening.opened(target), failed)


def load(paths: Sequence[Path], edge: int | None, failed: list[Shown], say: Say) -> Iterator[Shown]:
    """Yield every picture, no edge of it longer than `edge` (None: whole), or why it cannot be shown, which joins `failed`."""
    for number, path in enumerate(paths, 1):
        say(f"{number}/{len(paths)} {path.name}")
        try:
            yield _load(path, edge)
        except Exception as error:  # Pillow's plugins raise what they come upon
            let_pass(error)
            failed.append(Shown(path, None, fault=str(error)))
            yield failed[-1]


def page(pictures: Iterable[Shown]) -> str:
    """Return the page: every picture with its name, size and bytes; a click shows it as wide as the page, but not enlarged.

    Pictures are taken one at a time, so that no more than one is held decoded.
    """
    figures = [_figure(f"p{number}", picture) for number, picture in enumerate(pictures, 1)]
    title = f"{len(figures)} picture{'s' if len(figures) > 1 else ''}"
    body = [f"<h1>{title}</h1>", '<main class="gallery">', *figures, "</main>"]
    return document.document(title, "\n".join(body))


def _pictures(names: Sequence[str]) -> Iterator[Path]:
    for name in names:
        path = named(name)
        if not os.path.isdir(path):
            yield path
            continue
        # A name that begins with a dot is hidden: macOS leaves a "._" of each file on other file systems.
        there = [file for file in path.iterdir() if not file.name.startswith(".")]
        found = sorted(file for file in there if formats.is_picture(file) and may_be_read(file))
        if not found:
            msg = f"the folder {name} has no pictures"
            raise ValueError(msg)
        yield from found


def _load(path: Path, edge: int | None) -> Shown:
    with formats.open_picture(path) as im:
        if im.format == "TIFF":
            im.load()  # which turns it
        lies_on_its_side = metadata.orientation(im) in metadata.ON_ITS_SIDE
        size = im.size[::-1] if lies_on_its_side else im.size
        if edge is not None:
            im.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        stored = color.to_pixels(metadata.upright(im))
    image = color.to_image(stored.array, stored.mode)
    image.info["icc_profile"] = stored.icc_profile or None
    return Shown(path, image, size, path.stat().st_size)


def _figure(name: str, shown: Shown) -> str:
    label = f"<b>{escape(shown.path.name)}</b>"
    if shown.image is None:
        return f'<figure class="fault" id="{name}">{label}<p>{escape(shown.fault)}</p></figure>'
    width, height = shown.size
    text = f"{width} x {height}, {shown.bytes:,} bytes"
    if shown.image.size != shown.size:
        text += f", shown at {shown.image.width} x {shown.image.height}"
    image = document.picture(shown.image, shown.path.name, exact=False)
    return f'<figure id="{name}"><a href="#{name}">{image}</a><figcaption>{label} {text}</figcaption></figure>'
