"""Which source becomes which target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from . import places
from .files import StrPath
from .places import Place


@dataclass(frozen=True)
class Pair:
    """One file to make; `problem` says why it cannot be made when that is known beforehand."""

    source: Place
    target: Place
    problem: str = ""


def plan(
    sources: Iterable[StrPath], destination: StrPath, suffix: str, *, readable: Callable[[Place], bool] = lambda _: True
) -> list[Pair]:
    """Return the pairs that turn `sources` (files, directories, glob patterns; paths or URLs) into files with `suffix`.

    A directory stands for the files below it that `readable` accepts and that do not have the suffix already; they keep
    their places below `destination`. A single file goes to `destination` itself if that has the suffix and is not a
    directory. What cannot be made (no such file, no permission to list a directory, two sources for one target) is a pair
    with a `problem`. ValueError or ImportError for a URL that cannot be used here.
    """
    end = places.place(destination)
    found = [item for source in sources for item in _expand(places.place(source), end, suffix, readable)]
    single = len(found) == 1 and len(found[0][1].parts) == 1
    if single and end.suffix.lower() == suffix and not end.is_dir():
        (source, _, problem) = found[0]
        return [Pair(source, end, problem)]
    owners: dict[Place, Place] = {}
    pairs = []
    for source, below, problem in found:
        target = end / below.with_suffix(suffix)
        owner = owners.setdefault(target, source)
        if owner != source and not problem:
            problem = f"{target} is already made from {owner}"
        pairs.append(Pair(source, target, problem))
    return pairs


def _expand(
    source: Place, destination: Place, suffix: str, readable: Callable[[Place], bool]
) -> Iterator[tuple[Place, PurePath, str]]:
    """Yield (file, its place below the destination, problem) for one argument."""
    name = PurePath(source.name or "none")
    try:
        if source.is_dir():
            closed: list[tuple[Place, OSError]] = []
            for file, below in places.walk(source, destination, lambda *what: closed.append(what)):
                if file.suffix.lower() != suffix and readable(file):
                    yield file, below, ""
            for folder, error in closed:
                yield folder, PurePath(folder.name), str(error)
        elif source.exists():
            yield source, name, ""
        else:
            found = places.matches(source)
            for match in found:
                yield from _expand(match, destination, suffix, readable)
            if not found:
                yield source, name, f"no file is named or matches {source}"
    except OSError as error:
        yield source, name, str(error)
