"""Files in a store that fsspec reaches (memory://, s3://, gs://, https://, ...), as the few methods of a path a batch needs.

fsspec is an optional extra and is imported when the first URL is used. Whatever a store raises comes out as an OSError
with one sentence that names the URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any, NamedTuple, cast

from ..errors import let_pass
from ..files import temporary_name

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::.*://)")

_CACHES = re.compile(r"((blockcache|cached|filecache|simplecache)::)*")
"""The links of a chained URL that have no path of their own: they use that of the next link."""


_OF_SYSTEMS = frozenset(
    {"@eaDir", "__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found"}
    | {"#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot"}
)


def is_url(name: str) -> bool:
    """Whether a name is a URL, chained ones such as ``zip://*.png::s3://bucket/a.zip`` included, and no path."""
    return _URL.match(name) is not None


def hidden_folder(name: str) -> str:
    """Return why a folder of that name is not entered, or "" if it is: systems keep thumbnails and what was deleted there."""
    if name in _OF_SYSTEMS:
        return "folder of a system"
    return "hidden folder" if name.startswith(".") and name != ".." else ""


class Stat(NamedTuple):
    """The part of `os.stat_result` that stores have: bytes, and seconds of the epoch where it is known when a file was written."""

    st_size: int
    st_mtime: float | None


@dataclass(frozen=True)
class StorePath:
    """A file or a folder by its URL; picklable, so that other machines can use it.

    ValueError for a protocol fsspec does not know, ImportError naming what to install for one that needs more, OSError for
    a server or an archive that cannot be opened.
    """

    url: str

    def __post_init__(self) -> None:
        before, own, rest = self._parts()
        if "://" not in own:  # all of an archive: zip::memory://a.zip
            own += "://"
        object.__setattr__(self, "url", before + (own if own.endswith("://") else own.rstrip("/")) + rest)
        self._at()

    def __str__(self) -> str:
        return self.url

    def _parts(self) -> tuple[str, str, str]:
        """The URL as what stands before the link of the chain that has the path, that link, and what follows it."""
        before = cast(re.Match[str], _CACHES.match(self.url))[0]
        own, chained, rest = self.url.removeprefix(before).partition("::")
        return before, own, chained + rest

    def _at(self) -> tuple[Any, str]:
        """The file system, of which fsspec keeps one for each set of options, and the path in it."""
        scheme = re.split("://|::", self.url, maxsplit=1)[0]
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            let_pass(error)
            msg = f'{scheme}:// needs fsspec: pip install "pillow-lic[fsspec]"'
            raise ImportError(msg) from None
        try:
            system, path = url_to_fs(self.url)
        except ImportError as error:
            let_pass(error)
            msg = f"{scheme}:// needs one package more: {error}"
            raise ImportError(msg) from None
        except ValueError as error:
            let_pass(error)
            msg = f"{self.url} is no URL that fsspec understands: {error}"
            raise ValueError(msg) from None
        except Exception as error:  # some connect to a server here, or open the archive
            let_pass(error)
            raise _failed(self, "open", error) from error
        return system, path

    def _beside(self, path: str) -> StorePath:
        """Another path of the same file system."""
        before, own, rest = self._parts()
        system, there = self._at()
        there = there.strip("/")
        if not own.endswith(there):
            return StorePath(before + system.unstrip_protocol(path) + rest)
        return StorePath(before + own[: len(own) - len(there)] + path.lstrip("/") + rest)

    def _named_beside(self, name: str) -> StorePath:
        """Another name in the same archive, whatever it is."""
        before, own, rest = self._parts()
        return StorePath(f"{before}{own.partition('://')[0]}://{name}{rest}")

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written there."""
        return self._parts()[1].startswith(("http://", "https://"))

    @property
    def name(self) -> str:
        """The last part, without the query of a web address."""
        path = self._parts()[1].partition("://")[2]
        return PurePosixPath(path.partition("?")[0] if self.read_only else path).name

    @property
    def suffix(self) -> str:
        """The extension with its dot, or ""."""
        return PurePosixPath(self.name).suffix

    def __truediv__(self, place: PurePath) -> StorePath:
        before, own, rest = self._parts()
        return StorePath(f"{before}{own if own.endswith('/') else own + '/'}{place.as_posix()}{rest}")

    def whereabouts(self) -> tuple[object, str]:
        """The file system behind caches, and the path in it: what all URLs of one file have in common."""
        _, own, rest = self._parts()
        system, path = StorePath(own + rest)._at()
        return system, path.rstrip("/")

    def is_relative_to(self, folder: StorePath) -> bool:
        """Whether this is the folder, or in it at any depth."""
        (system, path), (other, top) = self.whereabouts(), folder.whereabouts()
        return system == other and f"{path}/".startswith(f"{top}/")

    def kind(self) -> str | None:
        """Return "file", "directory", or None for what is not there."""
        system, path = self._at()
        with _named("look up", self):
            try:
                return str(system.info(path)["type"])
            except FileNotFoundError:
                return None

    def is_dir(self) -> bool:
        """Whether this is a folder, or the common beginning of some names."""
        return self.kind() == "directory"

    def exists(self) -> bool:
        """Whether there is a file or a folder."""
        return self.kind() is not None

    def stat(self) -> Stat:
        """Return bytes and time of the file; FileNotFoundError if there is none, or a folder."""
        system, path = self._at()
        with _named("look up", self):
            facts = system.info(path)
            if facts["type"] == "directory":
                msg = "it is a folder"
                raise FileNotFoundError(msg)
            size = facts["size"]
            try:
                modified = system.modified(path).timestamp()
            except (NotImplementedError, RuntimeError, KeyError, AttributeError) as error:  # stores that do not know
                let_pass(error)
                modified = None
        return Stat(size or 0, modified)

    def glob(self) -> list[tuple[StorePath, bool]]:
        """Return what matches this URL as a pattern, sorted, and whether it is a folder."""
        system, path = self._at()
        with _named("list", self):
            found = sorted(system.glob(path, detail=True).items())
        return [(self._beside(name), facts["type"] == "directory") for name, facts in found]

    def walk(
        self,
        keep_out: StorePath | None,
        closed: Callable[[StorePath, OSError], object],
        passed_over: Callable[[StorePath, str], object] = lambda *_: None,
    ) -> Iterator[tuple[StorePath, PurePosixPath]]:
        """Yield the files below this folder, and their places in it, sorted.

        `closed` hears of a folder it may not list, `passed_over` of those that are not entered, and why.

        (`fsspec.walk` passes over folders below the first that cannot be listed.)
        """
        system, top = self._at()
        system.invalidate_cache()
        folders = [self]
        while folders:
            folder = folders.pop()
            _, path = folder._at()
            try:
                with _named("list", folder):
                    entries = sorted((item["name"].rstrip("/"), item["type"]) for item in system.ls(path, detail=True))
            except OSError as error:
                let_pass(error)
                closed(folder, error)
                continue
            below = []
            for name, kind in entries:
                if name.strip("/") == path.strip("/"):
                    continue  # the mark of an empty folder
                try:
                    here = self._beside(name)
                except (OSError, ValueError, ImportError) as error:
                    let_pass(error)
                    closed(folder, OSError(f"no URL is of {name!r}, which is in it: {error}"))
                    continue
                if kind != "directory":
                    yield here, PurePosixPath(name.strip("/")).relative_to(top.strip("/"))
                elif reason := hidden_folder(here.name):
                    passed_over(here, reason)
                elif here != keep_out:
                    below.append(here)
            folders += reversed(below)
        for name in _unreachable(system, top.strip("/")):
            closed(self._named_beside(name), OSError(_UNREACHABLE))

    def read_bytes(self) -> bytes:
        """Return the whole file."""
        system, path = self._at()
        with _named("read", self):
            data: bytes = system.cat_file(path)
        return data

    def write_atomic(self, data: bytes) -> None:
        """Put the file there whole, or leave what was there.

        An object store takes an object whole or not at all and has no folders to make; in one that can rename, the bytes
        go to a temporary file beside it first.
        """
        from fsspec import AbstractFileSystem

        system, path = self._at()
        with _named("write", self):
            if type(system).mv is AbstractFileSystem.mv:
                system.pipe_file(path, data)
                return
            if system.isdir(path):  # the rename would go into it
                msg = "it is a folder"
                raise IsADirectoryError(msg)
            folder, _, name = path.rpartition("/")
            if folder:
                system.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/{temporary_name(name)}"
            try:
                system.pipe_file(temporary, data)
                system.mv(temporary, path)
            except BaseException:
                if system.exists(temporary):
                    system.rm_file(temporary)
                raise


def _unreachable(system: Any, top: str) -> list[str]:
    """Return the names of the files below a folder of an archive that no listing of it leads to."""
    from fsspec.archive import AbstractArchiveFileSystem

    if not isinstance(system, AbstractArchiveFileSystem):
        return []
    files = sorted(name for name, facts in system.dir_cache.items() if facts["type"] == "file")
    below = [name for name in files if not top or name.lstrip("/").startswith(f"{top}/")]
    return [name for name in below if name.startswith("/") or "//" in name]


_UNREACHABLE = "its name in the archive is absolute or has empty parts: take it out and name it as a source"


@contextmanager
def _named(doing: str, place: StorePath) -> Iterator[None]:
    """Turn what a store raises, each its own kinds, into an OSError that says what could not be done."""
    try:
        yield
    except Exception as error:
        let_pass(error)
        raise _failed(place, doing, error) from error


def _failed(place: StorePath, doing: str, error: Exception) -> OSError:
    kind = FileNotFoundError if isinstance(error, FileNotFoundError) else OSError
    return kind(f"cannot {doing} {place}: {str(error) or type(error).__name__}")
