"""Whole files, written so that a reader never sees half of one; the standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import IO

from .errors import Ignoring, let_pass

StrPath = str | os.PathLike[str]


_REFUSALS = frozenset({errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EROFS})
"""The errors of file systems that lack an operation (SMB, FAT, FUSE, WSL), as against a disk that is full or broken."""

_OF_USERS = "user."
"""Begins the names of the extended attributes that users and their programs give a file: tags, comments, where it came from."""
_ACCESS_LIST = "system.posix_acl_access"
"""The extended attribute with the access control list of a file (acl(5))."""


def write_atomic(path: StrPath, data: bytes | memoryview) -> None:
    """Write `data` as the file `path`; at any moment the old file is there whole, or the new one.

    The bytes go to a temporary file in the same directory, reach the disk, and then take the name. An existing file
    keeps its owner, its permission bits and its access control list, which hold for the temporary file too, and the attributes that
    users gave it, as far as the file system lets them be set; a symbolic link stays one. What is not a regular file (a pipe,
    `/dev/stdout`) is written to, not replaced. OSError as from `open`, naming `path`, also where an existing file is protected from
    writing; then nothing has changed.
    """
    old = _state_of_target(path)
    with naming(path):
        if old is not None and not stat.S_ISREG(old.st_mode):
            with open(path, "wb") as stream:
                stream.write(data)
            return
        target = Path(os.path.realpath(path))
        temporary, fp = _create_beside(target, 0o666 if old is None else stat.S_IMODE(old.st_mode) & stat.S_IRWXU)
        try:
            with fp:
                _lock(fp)
                fp.write(data)
                fp.flush()
                with suppress_refusal():
                    os.fsync(fp.fileno())
                if old is not None:
                    _take_attributes(target, fp.fileno())  # as long as the permission bits let it be written
                    _take_over(old, _access_list(target), fp.fileno(), temporary)
            os.replace(temporary, target)
        except BaseException:
            with Ignoring(OSError):
                os.unlink(temporary)
            raise
    _sync_directory(target.parent)


def check_target(path: StrPath) -> None:
    """Make the folder of a file to be written, and raise the OSError by which `write_atomic` would refuse the file as things are.

    For work of minutes whose result goes there; what becomes full meanwhile is not foreseen. No file is made or changed.
    """
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    old = _state_of_target(path)
    if old is None or stat.S_ISREG(old.st_mode):
        with naming(path):
            temporary, fp = _create_beside(Path(os.path.realpath(path)), stat.S_IRUSR | stat.S_IWUSR)
        fp.close()
        os.unlink(temporary)


@contextlib.contextmanager
def naming(path: StrPath) -> Iterator[None]:
    """Have an OSError of a `with` block name the file to be written, not a temporary one, of which the caller knows nothing, or none."""
    try:
        yield
    except OSError as error:
        let_pass(error)
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def _state_of_target(path: StrPath) -> os.stat_result | None:
    """Return the state of the file that is to be replaced, None for a new one; OSError for one that may not be written."""
    name = os.fspath(path)
    if not name or names_folder(name):  # resolving the path would take the slash off
        code = errno.EISDIR if name else errno.ENOENT
        raise OSError(code, os.strerror(code), name)
    old = _state(path)
    if old is not None and (stat.S_ISREG(old.st_mode) or stat.S_ISDIR(old.st_mode)):
        open(path, "r+b").close()  # the right to rename it is that of its folder
    return old


def named(name: str) -> Path:
    """Return the path of a name; FileNotFoundError for an empty one, which `Path` takes for the working directory."""
    if not name:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return Path(name)


def files_in(folder: Path, suffixes: Container[str]) -> list[Path]:
    """Return the files in a folder with one of these extensions (in small letters), sorted; no hidden ones, pipes or devices."""
    return sorted(path for path in folder.iterdir() if _is_wanted(path, suffixes))


def files_below(folder: Path, suffix: str) -> tuple[list[Path], list[OSError]]:
    """Return the files below a folder with an extension, as `files_in`, and the errors of those folders that cannot be listed.

    Files of one folder are together.
    """
    found: list[Path] = []
    closed: list[OSError] = []
    for here, folders, names in os.walk(folder, onerror=closed.append):
        folders.sort()
        found += [path for path in (Path(here, name) for name in sorted(names)) if _is_wanted(path, (suffix,))]
    return found, closed


def _is_wanted(path: Path, suffixes: Container[str]) -> bool:
    return path.suffix.lower() in suffixes and not path.name.startswith(".") and may_be_read(path)


def may_be_read(path: StrPath) -> bool:
    """Whether a name is of an ordinary file as far as that can be told; what is wrong with one that may not be looked at, opening it says."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError as error:
        let_pass(error)
        return not isinstance(error, FileNotFoundError)


def is_same(a: StrPath, b: StrPath) -> bool:
    """Whether two names are of one file or folder that exists."""
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)


def names_folder(name: StrPath) -> bool:
    """Whether a name is that of a folder, there or not, by the slash at its end."""
    return os.fspath(name).endswith(("/", os.sep))


@contextlib.contextmanager
def suppress_refusal() -> Iterator[None]:
    """Let a `with` block pass in which a file system refuses what is only good to have beside the bytes of a file."""
    try:
        yield
    except OSError as error:
        let_pass(error)
        if error.errno not in _REFUSALS:
            raise


def _state(path: StrPath) -> os.stat_result | None:
    """Return the state of what is there, links followed, or None; of the path as it is given.

    The real one of `/dev/stdout` may be no path at all.
    """
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _take_over(old: os.stat_result, access_list: bytes, descriptor: int, path: Path) -> None:
    """Give an open file the owner, the permission bits and the access list of an old one, as far as they can be set."""
    if hasattr(os, "fchown"):
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
            with suppress_refusal():
                os.fchown(descriptor, old.st_uid, old.st_gid)
    mode = stat.S_IMODE(old.st_mode)
    if access_list:
        mode &= ~stat.S_IRWXG  # with a list: the most that its entries may allow, and not the rights of the group
    with suppress_refusal():
        os.chmod(descriptor if os.chmod in os.supports_fd else path, mode)
    if access_list:
        with suppress_refusal():
            os.setxattr(descriptor, _ACCESS_LIST, access_list)  # sets the bits of the group, too


def _access_list(path: Path) -> bytes:
    """Return the access control list of a file as Linux keeps it, b"" where it has none."""
    if hasattr(os, "getxattr"):
        with Ignoring(OSError):
            return os.getxattr(path, _ACCESS_LIST)
    return b""


def _take_attributes(old: Path, descriptor: int) -> None:
    """Give an open file the extended attributes of users that an old one has, as far as they can be set."""
    if hasattr(os, "listxattr"):
        with Ignoring(OSError):
            for name in os.listxattr(old):
                if name.startswith(_OF_USERS):
                    os.setxattr(descriptor, name, os.getxattr(old, name))


def set_times(path: StrPath, of: os.stat_result) -> None:
    """Give a file the access and modification times of another one, in nanoseconds, if the file system lets them be set."""
    with suppress_refusal():
        os.utime(path, ns=(of.st_atime_ns, of.st_mtime_ns))


TEMPORARY_MARK = ".lic-part"
"""The end of the name of every temporary file, by which one that a killed process left can be told."""


_SETTLED = 5
"""Seconds after its last change in which a temporary file may just be taking its name."""


def sweep(directory: StrPath) -> int:
    """Remove the temporary files that killed processes left in a directory, and return how many.

    A writer at work holds a lock on its own; where there are no locks, nothing is removed. No directory has none.
    """
    removed = 0
    with Ignoring(OSError):
        marked = [entry for entry in os.scandir(directory) if entry.name.endswith(TEMPORARY_MARK)]
        # A pipe would be waited on for ever.
        found = [entry.path for entry in marked if entry.is_file(follow_symlinks=False)]
        for path in found:
            removed += _remove_if_left(path)
    return removed


def _lock(fp: IO[bytes]) -> bool:
    """Take the lock of an open file, which ends with the process; False where another has it, and where there are none."""
    try:
        import fcntl

        fcntl.flock(fp, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError) as error:
        let_pass(error)
        return False
    return True


def _remove_if_left(path: str) -> bool:
    with Ignoring(OSError), open(path, "rb") as fp:
        if _lock(fp) and time.time() - os.fstat(fp.fileno()).st_mtime > _SETTLED:
            os.unlink(path)
            return True
    return False


def temporary_name(name: str) -> str:
    """Return the name of a temporary file for one of that name, another one each time."""
    encoding = sys.getfilesystemencoding()
    start = name.encode(encoding, "ignore")[:100].decode(encoding, "ignore")  # file systems count bytes, 255 at most
    return f".{start}.{secrets.token_hex(6)}{TEMPORARY_MARK}"


def _create_beside(target: Path, mode: int) -> tuple[Path, IO[bytes]]:
    """Create a new file in the target's directory, with permission bits `mode` less the umask."""
    while True:
        temporary = target.with_name(temporary_name(target.name))
        try:
            return temporary, open(temporary, "xb", opener=lambda path, flags: os.open(path, flags, mode))
        except FileExistsError:
            continue


def _sync_directory(directory: Path) -> None:
    """Make a rename durable where the system has a way to; the rename itself has already happened."""
    with Ignoring(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
