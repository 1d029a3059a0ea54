"""`lic desktop on|off|status`: .lic known to the user's desktop, with a MIME type, an icon, thumbnails, and what opens it.

Everything goes below XDG_DATA_HOME, for this user alone; no rights of an administrator are needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..installed_files import FileSet, Status
from . import directories, entries

_REFRESHERS = (
    ("update-mime-database", "mime", "shared-mime-info", "files keep an unknown type"),
    ("update-desktop-database", "applications", "desktop-file-utils", "a double click may not open them"),
)
"""Program, the folder it indexes, the package it is in, and what is missing without it."""


def turn_on() -> list[Path]:
    """Write the files, have the desktop read them, and return their paths; OSError if the system has no such desktop."""
    if sys.platform in {"win32", "darwin"}:
        msg = f"lic desktop serves desktops that follow freedesktop.org (Linux, BSD), this system is {sys.platform}"
        raise OSError(msg)
    paths = _file_set().write()
    _refresh()
    return paths


def turn_off() -> list[Path]:
    """Remove the files, have the desktop forget them, and return the paths of those that were there."""
    paths = _file_set().remove()
    if paths:
        _refresh()
    return paths


def status() -> Status:
    """Return whether the files are there; "outdated" when another release or another Python wrote them."""
    return _file_set().status()


def shortcomings() -> list[str]:
    """Return a sentence for everything that this system lacks for all of it to work."""
    found = [
        f"{program} is missing (package {package}): {loss}"
        for program, _, package, loss in _REFRESHERS
        if shutil.which(program) is None
    ]
    if shutil.which("xdg-mime") and not shutil.which("mimetype") and not os.environ.get("XDG_CURRENT_DESKTOP"):
        found.append(
            "mimetype is missing (package libfile-mimeinfo-perl): outside a desktop xdg-open and xdg-mime ask `file` in its "
            "place, which knows no types of users"
        )
    if shutil.which("bwrap") and not entries.is_seen_by_sandbox(
        [sys.prefix, sys.base_prefix, str(Path(__file__).parent)]
    ):
        found.append(
            f"GNOME's file manager lets its thumbnailers see /usr alone and so cannot run the Python in {sys.prefix}: "
            "`lic desktop thumbnails FOLDER` makes thumbnails for it"
        )
    return found


def _file_set() -> FileSet:
    return FileSet(directories.data_home(), entries.contents())


def _refresh() -> None:
    """Run the programs that are there; OSError with what one said if it failed."""
    for program, folder, _, _ in _REFRESHERS:
        path = directories.data_home() / folder
        if shutil.which(program) is None or not path.is_dir():
            continue
        result = subprocess.run([program, path], capture_output=True, text=True, check=False)
        if result.returncode:
            msg = f"{program} {path} failed: {result.stderr.strip()}"
            raise OSError(msg)
    # Desktops look at the time of a theme's folder to learn that an icon came or went (Icon Theme Specification, 0.13).
    theme = directories.data_home() / "icons" / "hicolor"
    if theme.is_dir():
        os.utime(theme)
