"""Locations, which are paths or URLs: finding files there, and putting finished ones there."""

from __future__ import annotations

import errno
import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from .. import files
from ..errors import Ignoring, let_pass
from ..fileformat.source import Fetched
from ..files import StrPath
from .stores import Stat, StorePath, hidden_folder, is_url

Place = Path | StorePath
State = Stat | os.stat_result

_STARS = re.compile(r"(?<![^{0}])\*\*([{0}]+|$)".format(re.escape(os.sep + (os.altsep or ""))))
"""A part of a pattern that stands for a folder and all that are below it."""


def place(name: StrPath) -> Place:
    """Return a name as a path, or as a place in a store if it is a URL; ``file://`` is a path.

    ValueError or ImportError for a URL that cannot be used here, ValueError for an empty name.
    """
    if name == "":
        msg = 'a source or destination must have a name, got ""; the current folder is "."'
        raise ValueError(msg)
    if not isinstance(name, str) or not is_url(name):
        return Path(name)
    if name.lower().startswith("file://"):
        from urllib.request import url2pathname  # brings a client of HTTP with it

        return Path(url2pathname(urlsplit(name.replace("?", "%3F").replace("#", "%23")).path))
    return StorePath(name)


def matches(pattern: Place) -> list[Place]:
    """Return what matches a glob pattern, sorted; of `**`, which matches a folder and all that is in it, the files."""
    found: Sequence[tuple[Place, bool]]
    if isinstance(pattern, StorePath):
        found = pattern.glob()
    else:
        found = [(Path(name), os.path.isdir(name)) for name in sorted(_globbed(os.fspath(pattern)))]
    files = [match for match, is_folder in found if not is_folder]
    return files if files and "**" in str(pattern) else [match for match, _ in found]


def _globbed(pattern: str) -> set[str]:
    """Return the names of paths that match, as `glob.glob` with its `**`, but no folder is entered twice: links may lead in a circle."""
    stars = _STARS.search(pattern)
    if stars is None:
        return set(glob.glob(pattern))
    head, tail = pattern[: stars.start()], pattern[stars.end() :]
    found: set[str] = set()
    for top in glob.glob(head) if head else [""]:
        for folder in _folders(top):
            below = glob.escape(folder)
            if tail:
                found |= _globbed(below + tail)
            else:
                found |= {folder, *glob.glob(below + "*")}
    return found - {""}


def _folders(top: str) -> Iterator[str]:
    """Yield a folder ("" is the working directory) and those below it that are not hidden, each with a slash at its end."""
    entered: set[object] = set()
    for here, folders, _ in os.walk(top or os.curdir, followlinks=True):
        if (known := identity(Path(here))) in entered:
            folders.clear()
            continue
        entered.add(known)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield os.path.join(here, "") if top else os.path.join(here, "").removeprefix(os.path.join(os.curdir, ""))


def walk(
    top: Place,
    keep_out: Place,
    closed: Callable[[Place, OSError], object],
    passed_over: Callable[[Place, str], object] = lambda *_: None,
) -> Iterator[tuple[Place, PurePath]]:
    """Yield the files below a folder, and their places in it, sorted, but none of those in `keep_out`.

    `closed` is called with every folder that cannot be listed and why, `passed_over` with those that are not entered:
    hidden ones, those that systems keep for themselves, and links, which may lead anywhere.
    """
    if isinstance(top, StorePath):
        yield from top.walk(keep_out if isinstance(keep_out, StorePath) else None, closed, passed_over)
        return

    def on_error(error: OSError) -> None:
        closed(Path(error.filename), error)

    def entered(folder: Path) -> bool:
        reason = "linked folder" if os.path.islink(folder) else hidden_folder(folder.name)
        if reason:
            passed_over(folder, reason)
        return not reason

    for folder, folders, names in os.walk(top, onerror=on_error):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not is_same(here / name, keep_out) and entered(here / name))
        for name in sorted(names):
            yield here / name, (here / name).relative_to(top)


def is_same(a: Place, b: Place) -> bool:
    """Whether two places are one file or folder that exists; in a store, whether they have one path there."""
    if isinstance(a, Path) and isinstance(b, Path):
        return files.is_same(a, b)
    return identity(a) == identity(b)


def identity(place: Place) -> object:
    """Return a value that all names of one existing file or folder share, as do all URLs of one path in a store."""
    with Ignoring(OSError, ValueError):
        if isinstance(place, StorePath):
            return place.whereabouts()
        found = place.stat()
        return found.st_dev, found.st_ino
    return place


def folded(place: Place) -> Place:
    """Return a value that all names of one file share where it does not exist yet: in small letters if its folder folds them."""
    return Path(str(place).casefold()) if isinstance(place, Path) and _folds_case(place.parent) else place


@cache
def _folds_case(folder: Path) -> bool:
    """Whether a folder, there or not, takes names that differ in the case of letters alone for one, by what is around it."""
    with Ignoring(OSError):  # one that may not be looked into
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        real = Path(os.path.realpath(folder))
        other = real.with_name(real.name.swapcase()) if real.name else real
        return other != real and is_same(real, other)
    return False


def is_within(place: Place, folder: Place) -> bool:
    """Whether a place is a folder or in it at any depth; a link is where it stands, not where it leads."""
    if isinstance(place, Path) and isinstance(folder, Path):
        return Path(os.path.realpath(place.parent), place.name).is_relative_to(os.path.realpath(folder))
    return isinstance(place, StorePath) and isinstance(folder, StorePath) and place.is_relative_to(folder)


def is_filled(place: Place) -> bool:
    """Whether there is a file that is not empty."""
    return place.exists() and not place.is_dir() and bool(place.stat().st_size)


def is_current(target: Place, source: Place, *, exactly: bool = False) -> bool:
    """Whether `target` is a file that is not empty and was made from `source` as it is now.

    It has the source's time, or, where times cannot be set, was written after the source came to be where it is: a source
    that is replaced by an older file is another one. exactly: only the first is enough, because it may be another's.
    """

    def fits(made: State, origin: State) -> bool:
        return _same_time(made, origin) or (not exactly and _is_written_after(made, origin))

    return _is_made(target, source, fits)


def is_newer(target: Place, source: Place) -> bool:
    """Whether `target` is a file that is not empty and not older than `source`."""
    return _is_made(target, source, lambda made, origin: _seconds(made) >= _seconds(origin))


def _is_made(target: Place, source: Place, fits: Callable[[State, State], bool]) -> bool:
    """Whether there is a file that is not empty and fits its source.

    Where a store does not know when a file was written, it is enough that it is there.
    """
    try:
        made = target.stat()
    except FileNotFoundError:
        return False
    if isinstance(made, os.stat_result) and stat.S_ISDIR(made.st_mode):
        return False
    origin = source.stat()
    return made.st_size > 0 and (made.st_mtime is None or origin.st_mtime is None or fits(made, origin))


def _same_time(made: State, origin: State) -> bool:
    """Whether two files were written at one time, as far as the first can tell: some file systems cut a copied time to seconds."""
    if not isinstance(made, os.stat_result) or not isinstance(origin, os.stat_result):
        return _seconds(made) == _seconds(origin)
    copied, own = made.st_mtime_ns, origin.st_mtime_ns
    unit = next(unit for unit in (10**9, 10**6, 10**3, 100, 1) if copied % unit == 0)
    return copied == own - own % unit


def _seconds(found: State) -> int:
    return int(found.st_mtime or 0)


def _is_written_after(made: State, origin: State) -> bool:
    """Whether a file was written after another one came to be where it is, as far as that is known: in seconds where one is in a store."""
    if isinstance(made, os.stat_result) and isinstance(origin, os.stat_result):
        return min(made.st_mtime_ns, made.st_ctime_ns) >= max(origin.st_mtime_ns, origin.st_ctime_ns)
    return _written(made) >= max(_seconds(origin), _arrival(origin))


def _written(found: State) -> int:
    """Return the second in which a file was written: a time that was copied may lie after it."""
    return min(_seconds(found), int(found.st_ctime)) if isinstance(found, os.stat_result) else _seconds(found)


def _arrival(found: State) -> int:
    """Return the second in which a file was last written, renamed or put where it is, as far as that is known."""
    return int(found.st_ctime) if isinstance(found, os.stat_result) else 0


def readable(source: Place) -> Path | Fetched:
    """Return an argument for `Image.open`: a path, or a stream with the whole file out of a store."""
    return source if isinstance(source, Path) else Fetched(source.read_bytes(), repr(str(source)))


def sweep(targets: Iterable[Place]) -> None:
    """Remove what a run that was killed left half written in the folders of the targets."""
    for folder in {target.parent for target in targets if isinstance(target, Path)}:
        files.sweep(folder)


def state(source: Place) -> State | None:
    """Return size and times of a file, None where they cannot be looked up; asked before it is read, they are of what is read, or older."""
    with Ignoring(OSError):
        return source.stat()
    return None


def unreadable(source: Path) -> str:
    """Return why a file cannot be read, by its permissions; "" if they do not say so."""
    if os.access(source, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        return ""
    with Ignoring(FileNotFoundError):
        os.stat(source)
        return str(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(source)))
    return ""


def obstacle(target: Place) -> str:
    """Return why a file cannot be written, by the permissions of it and of its nearest folder that is there; "" if none says so.

    Of a store nothing is known, nor of a pipe or a device, which is written to where it is.
    """
    with Ignoring(OSError):
        if not isinstance(target, Path) or (target.exists() and not target.is_file()):
            return ""
        effective = os.access in os.supports_effective_ids
        there = next((folder for folder in target.absolute().parents if folder.exists()), target)
        for place, rights in ((there, os.W_OK | os.X_OK), (target, os.W_OK)):
            if place.exists() and not os.access(place, rights, effective_ids=effective):
                return str(PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place)))
    return ""


def deliver(data: bytes, target: Place, origin: State | None) -> None:
    """Write `data` as the file `target`, whole or not at all; where paths keep times, with those of the file it was made of.

    origin: the `state` of that file before it was read, so that one which changes meanwhile counts as another. Folders that are
    missing are made. OSError, and then a file that was there is as it was.
    """
    if isinstance(target, StorePath):
        target.write_atomic(data)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomic(target, data)
    try:  # from here on the picture is safe
        if isinstance(origin, os.stat_result):
            files.set_times(target, origin)
        elif origin is not None and origin.st_mtime is not None:
            os.utime(target, (origin.st_mtime, origin.st_mtime))
    except OSError as error:
        let_pass(error)
