"""The files by which a desktop that follows freedesktop.org knows .lic: their names below XDG_DATA_HOME, and their text.

Shared MIME-info 0.21 (type), Icon Naming and Icon Theme Specification (icon), Desktop Entry Specification 1.5 (what opens
it), and the thumbnailer entries of GNOME, which MATE, Cinnamon, Xfce and LXDE read too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from ..fileformat.identity import EXTENSION, MAGIC, MIME

_NAME = "pillow-lic"
_ICON = MIME.replace("/", "-")
_MAGIC = "".join(f"\\x{byte:02x}" for byte in MAGIC[:4])
"""The bytes that tell a file of any version, as shared MIME-info writes them."""


def contents(python: str | None = None) -> dict[str, str]:
    """Return the text of every file by its path; they run the package with this Python (default: the running one)."""
    python = python or sys.executable
    return {
        f"mime/packages/{_NAME}.xml": _mime_type(),
        f"icons/hicolor/scalable/mimetypes/{_ICON}.svg": Path(__file__).with_name("lic.svg").read_text("utf-8"),
        f"thumbnailers/{_NAME}.thumbnailer": _thumbnailer(python),
        f"applications/{_NAME}.desktop": _viewer(python),
    }


def _mime_type() -> str:
    return f"""\
<?xml version="1.0" encoding="UTF-8"?>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{escape(MIME)}">
    <comment>LIC picture</comment>
    <acronym>LIC</acronym>
    <expanded-acronym>Learned Image Compression</expanded-acronym>
    <icon name="{escape(_ICON)}"/>
    <generic-icon name="image-x-generic"/>
    <magic priority="60">
      <match type="string" offset="0" value="{escape(_MAGIC)}"/>
    </magic>
    <glob pattern="*{escape(EXTENSION)}"/>
  </mime-type>
</mime-info>
"""


def _thumbnailer(python: str) -> str:
    return f"""\
[Thumbnailer Entry]
TryExec={python}
Exec={_command(python, "thumbnail", "-f", "%i", "%o", "%s")}
MimeType={MIME};
"""


def _viewer(python: str) -> str:
    return f"""\
[Desktop Entry]
Type=Application
Name=LIC pictures
Comment=Show .lic pictures
Icon={_ICON}
TryExec={python}
Exec={_command(python, "view", "%F")}
MimeType={MIME};
NoDisplay=true
Terminal=false
"""


def _command(python: str, *words: str) -> str:
    """Return a command line for an Exec key. -P: the folder a program happens to run in may hold modules of any name."""
    return " ".join([_quoted(python), "-P", "-m", "pillow_lic", *words])


def _quoted(word: str) -> str:
    """Return a word as Exec keys quote it (Desktop Entry Specification, "The Exec key")."""
    word = word.replace("%", "%%")
    if not set(word) & set(" \t\n\"'\\><~|&;$*?#()`"):
        return word
    for character in '\\"`$':
        word = word.replace(character, f"\\{character}")
    return '"' + word.replace("\\", "\\\\") + '"'  # backslashes once more: the value is a string of a desktop entry


def is_seen_by_sandbox(prefixes: Sequence[str]) -> bool:
    """Whether GNOME's file manager, whose sandbox for thumbnailers shows them `/usr` alone, can run a Python there."""
    return all(Path(prefix).resolve().is_relative_to("/usr") for prefix in prefixes)
