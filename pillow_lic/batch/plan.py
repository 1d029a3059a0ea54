"""The plan of a conversion: which source becomes which target."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from ..errors import let_pass
from ..fileformat.identity import EXTENSION
from ..files import StrPath, names_folder
from . import locations
from .locations import Place

_APPLE_DOUBLE = "._"
"""Begins the name of a file in which macOS keeps what another file system has no room for."""
_NO_FILE = "pipe or device"


@dataclass(frozen=True)
class Pair:
    """One file to make; `problem` says why it cannot be made when that is known beforehand.

    keep: a file that is there may be an original, and is not replaced by a newer source unless that is forced. rivals: what
    else would have the same target; the first of all that can be made has it.
    """

    source: Place
    target: Place
    problem: str = ""
    keep: bool = False
    rivals: tuple[Pair, ...] = ()


def plan(
    sources: Iterable[StrPath],
    destination: StrPath,
    suffix: str,
    *,
    readable: Callable[[Place], bool] = lambda _: True,
    passed_over: Callable[[Place, str], object] = lambda *_: None,
) -> list[Pair]:
    """Return the pairs that turn `sources` (files, folders, glob patterns; paths or URLs) into files with `suffix`, each once.

    A folder stands for the files below it that `readable` accepts and that do not have the suffix already; they keep
    their places below `destination`; `passed_over` is called with what else is in it, and why it is left. A single file goes to `destination`
    itself if that has the suffix and is not a folder, nor named as one by a slash at its end. What cannot be made (no
    such file, no permission to list a folder, a target that is a source, a file where a folder must be, a pipe in a folder, a
    name in an archive that leads out of the destination) is a pair with a `problem`; of several sources for one target the others are
    the `rivals` of the first. `Pair.keep` guards what is at a single destination, and in one that sources lie in; but a .lic
    file may be made anew of a picture of another format. ValueError or ImportError for a URL that cannot be used here.
    """
    end = locations.place(destination)
    once: dict[object, tuple[Place, PurePath, str]] = {}
    for source in sources:
        for item in _expand(locations.place(source), end, suffix, readable, passed_over):
            once.setdefault((locations.identity(item[0]), item[1]), item)
    found = list(once.values())
    single = len(found) == 1 and len(found[0][1].parts) == 1
    alone = single and not names_folder(destination) and end.suffix.lower() == suffix and not end.is_dir()
    blocked = f"destination must be a folder here, got the file {end}" if _is_file(end) and not alone else ""
    precious = {source for source, *_ in found if suffix != EXTENSION or source.suffix.lower() == EXTENSION}
    guarded = precious if alone or precious and any(locations.is_within(source, end) for source, *_ in found) else ()
    return _checked(
        Pair(source, target, problem or blocked or _leak(below) or ("" if alone else _wait(target)), source in guarded)
        for source, below, problem in found
        for target in (end if alone else end / below.with_suffix(suffix),)
    )


def _checked(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs, with a problem those whose target is another's, or another source.

    A .lic file that is to be made anew of a picture is left out as a source: a shell's star names what an earlier run made.
    """
    files = [(pair, locations.identity(pair.source), locations.identity(pair.target)) for pair in pairs]
    wanted = {target for _, source, target in files if source != target}
    files = [
        (pair, source, target)
        for pair, source, target in files
        if not (source == target and target in wanted and pair.target.suffix.lower() == EXTENSION)
    ]
    sources = {source for pair, source, _ in files if not pair.problem}
    checked: list[Pair] = []
    owners: dict[Place, int] = {}
    for pair, source, target in files:
        problem = pair.problem
        if not problem and target in sources and target != source:
            problem = f"{pair.target} is itself a source: name another destination"
        if problem:
            checked.append(replace(pair, problem=problem))
        elif (owner := owners.setdefault(locations.folded(pair.target), len(checked))) < len(checked):
            checked[owner] = replace(checked[owner], rivals=(*checked[owner].rivals, pair))
        else:
            checked.append(pair)
    return checked


def _expand(
    source: Place,
    destination: Place,
    suffix: str,
    readable: Callable[[Place], bool],
    passed_over: Callable[[Place, str], object],
) -> Iterator[tuple[Place, PurePath, str]]:
    """Yield (file, its place below the destination, problem) for one argument."""
    name = _name(source)
    try:
        if source.is_dir():
            yield from _below(source, destination, suffix, readable, passed_over)
            return
        if source.exists():
            yield source, name, ""
            return
        matches = [match for match in locations.matches(source) if match != source]
        found = [match for match in matches if not isinstance(match, Path) or _holds_bytes(match)]
        for match in matches:
            if match not in found:
                passed_over(match, _NO_FILE)
        for match in found:
            yield from _expand(match, destination, suffix, readable, passed_over)
        if not matches:
            dangling = isinstance(source, Path) and source.is_symlink()
            fault = f"{source} is a link to a file that does not exist"
            yield source, name, fault if dangling else f"no file or folder matches {source}"
    except OSError as error:
        let_pass(error)
        yield source, name, str(error)


def _below(
    folder: Place,
    destination: Place,
    suffix: str,
    readable: Callable[[Place], bool],
    passed_over: Callable[[Place, str], object],
) -> Iterator[tuple[Place, PurePath, str]]:
    """Yield as `_expand` the files below a folder, and then the folders that may not be listed."""
    closed: list[tuple[Place, OSError]] = []
    for file, below in locations.walk(folder, destination, lambda *what: closed.append(what), passed_over):
        if reason := _reason(file, suffix, readable):
            passed_over(file, reason)
        else:
            yield file, below, ""
    for shut, error in closed:
        yield shut, _name(shut), str(error)


def _leak(below: PurePath) -> str:
    """Return why a place must not be joined to the destination, or "" if it stays in it: archives and stores name what they like."""
    here = Path(below)  # by the rules of this system: on Windows a name from elsewhere may have a drive
    if ".." in here.parts or here.anchor:
        return f"{below} leads out of the destination: take it out of its archive and name it as a source"
    return ""


def _wait(target: Place) -> str:
    """Return why a name in a folder is no target, or "" if it is one: a pipe that somebody put there would be waited on for ever."""
    if isinstance(target, Path) and not _holds_bytes(target):
        return f"{target} is a {_NO_FILE}: name it as the destination if it is to be written to"
    return ""


def _reason(file: Place, suffix: str, readable: Callable[[Place], bool]) -> str:
    """Return why a file in a folder is no source, or "" if it is one."""
    own = file.suffix.lower()
    if file.name.startswith(_APPLE_DOUBLE):
        return "beside-file of macOS"
    if own == suffix:
        return f"already {suffix}"
    if not readable(file):
        return own or "without extension"
    return _NO_FILE if isinstance(file, Path) and not _holds_bytes(file) else ""


def _holds_bytes(path: Path) -> bool:
    """Whether a name is not that of a pipe, a socket or a device, which may be waited on for ever.

    A link to nothing, and what may not be looked at, is a fault that opening it names.
    """
    return not os.path.exists(path) or os.path.isfile(path) or os.path.isdir(path)


def _is_file(place: Place) -> bool:
    return isinstance(place, Path) and place.is_file()


def _name(place: Place) -> PurePath:
    """The last part of a place; a root and "." have none, and a target must."""
    return PurePath(place.name or "none")
