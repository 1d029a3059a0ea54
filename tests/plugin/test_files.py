"""A reader sees the old file or the new one, whenever the writer is stopped."""

import errno
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pillow_lic import files


def test_new_file_has_the_permissions_of_open(tmp_path: Path) -> None:
    files.write_atomic(tmp_path / "a", b"abc")
    (tmp_path / "b").write_bytes(b"abc")
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_old_file_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o640)
    files.write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_link_keeps_its_aim(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    files.write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize("letters", ["n" * 250, "\N{CJK UNIFIED IDEOGRAPH-7167}" * 83])
def test_long_names(tmp_path: Path, letters: str) -> None:
    name = letters + ".lic"
    files.write_atomic(tmp_path / name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"


def test_names_that_the_locale_has_no_letters_for(tmp_path: Path) -> None:
    """In a C locale without UTF-8 mode a name outside ASCII is bytes that Python cannot read, and must be kept as they are."""
    name = os.fsencode("\N{LATIN SMALL LETTER U WITH DIAERESIS}.lic")
    script = f"import os; from pillow_lic import files; files.write_atomic(os.fsdecode({name!r}), b'x')"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=os.environ | plain, check=True)
    assert os.listdir(os.fsencode(tmp_path)) == [name]


def test_pipes_are_written_to_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        files.write_atomic(pipe, b"abc")
        assert reader.communicate(timeout=20)[0] == b"abc"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_can_be_a_target() -> None:
    code = "import sys; from pillow_lic import files; files.write_atomic('/dev/stdout', b'abc')"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout == b"abc"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_nothing_changes_when_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_directories_and_missing_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        files.write_atomic(tmp_path, b"x")
    with pytest.raises(FileNotFoundError) as caught:
        files.write_atomic(tmp_path / "none" / "a", b"x")
    assert caught.value.filename == str(tmp_path / "none" / "a")


WRITER = """
import sys
from pathlib import Path
from pillow_lic.files import write_atomic
print("ready", flush=True)
while True:
    for letter in (b"a", b"b"):
        write_atomic(Path(sys.argv[1]), letter * 2_000_000)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    target = tmp_path / "target"
    for delay in (0.0, 0.011, 0.023, 0.037):
        target.write_bytes(b"a" * 2_000_000)
        with subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        data = target.read_bytes()
        assert len(data) == 2_000_000
        assert len(set(data)) == 1
        leftovers = [path for path in tmp_path.iterdir() if path != target]
        assert all(path.name.endswith(files.TEMPORARY_MARK) for path in leftovers)


def test_times_are_copied(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_bytes(b"x")
    os.utime(tmp_path / "a", ns=(10**18, 10**18 + 5))
    files.set_times(tmp_path / "b", (tmp_path / "a").stat())
    assert (tmp_path / "b").stat().st_mtime_ns == 10**18 + 5


@pytest.mark.parametrize("code", [1, 13, 22, 38, 95])
@pytest.mark.parametrize("step", ["fsync", "chmod", "fchown", "utime"])
def test_what_a_file_system_refuses_costs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    """EPERM, EACCES, EINVAL, ENOSYS, ENOTSUP: what shares answer to owners, permissions, times and the like."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"source")
    target.write_bytes(b"old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, refuse)
    files.write_atomic(target, b"new")
    files.set_times(target, source.stat())
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="has no such permission bits")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_what_is_being_written_is_no_more_open_than_what_it_replaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    target, seen = tmp_path / "private", []
    target.write_bytes(b"old")
    target.chmod(mode)
    original = os.fsync

    def look(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        original(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    files.write_atomic(target, b"new")
    assert seen == [0o600]
    assert stat.S_IMODE(target.stat().st_mode) == mode


def test_an_empty_name_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.write_atomic("", b"x")
    assert list(tmp_path.iterdir()) == list(tmp_path.parent.glob("*.lic-part")) == []


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_errors_name_the_file_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def fail(*names: object) -> None:
        raise OSError(28, "No space left on device", *names[:1])

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write_atomic(tmp_path / "a", b"x")
    assert (caught.value.filename, caught.value.filename2) == (str(tmp_path / "a"), None)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_errors_name_a_device_too() -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
        files.write_atomic("/dev/full", b"x")
    assert caught.value.filename == "/dev/full"


@pytest.mark.skipif(os.name == "nt", reason="no folder goes while somebody works in it")
@pytest.mark.parametrize("write", [lambda: files.write_atomic("a", b"x"), lambda: files.check_target("a")])
def test_errors_name_a_file_in_a_working_directory_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[], None]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(FileNotFoundError) as caught:
        write()
    assert caught.value.filename == "a"


def test_a_slash_at_the_end_names_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        files.write_atomic(f"{tmp_path}/new/", b"x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs locks of files")
def test_what_a_killed_process_left_is_swept_and_what_is_at_work_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", lambda *_: os._exit(9))
    old = time.time() - 60
    child = os.fork()
    if not child:
        files.write_atomic(tmp_path / "a.lic", b"new")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (left,) = tmp_path.iterdir()
    assert files.sweep(tmp_path) == 0  # it was written a moment ago
    os.utime(left, (old, old))
    seen: list[int] = []

    def sync(descriptor: int) -> None:
        os.utime(descriptor, (old, old))  # as if it took long
        seen.append(files.sweep(tmp_path))

    monkeypatch.undo()
    monkeypatch.setattr(os, "fsync", sync)
    files.write_atomic(tmp_path / "b.lic", b"other")
    assert seen[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b.lic"]
    assert files.sweep(tmp_path / "none") == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs users")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no pipes")
def test_only_files_are_swept(tmp_path: Path) -> None:
    """Whoever may write in a folder may put a pipe there, which would be waited on for ever."""
    program = f"from pillow_lic import files; print(files.sweep({os.fspath(tmp_path)!r}))"
    os.mkfifo(tmp_path / ".a.lic-part")
    (tmp_path / ".b.lic-part").symlink_to(__file__)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20)
    assert ran.stdout == "0\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_is_protected_from_writing_stays(tmp_path: Path) -> None:
    """Its folder allows another one in its place, and `open` would not."""
    target = tmp_path / "a"
    target.write_bytes(b"old")
    for path, mode in ((target, 0o444), (tmp_path, 0o777)):
        path.chmod(mode)
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.chdir(tmp_path)
                os.setgid(65534)
                os.setuid(65534)
            files.write_atomic("a" if os.getuid() == 65534 else target, b"new")
        except PermissionError as error:
            os._exit(error.errno or 0)
        finally:
            os._exit(0)
    assert (os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), target.read_bytes()) == (errno.EACCES, b"old")
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="has no access control lists that Python knows")
def test_an_access_control_list_is_kept(tmp_path: Path) -> None:
    """Without it, what was the most that its entries may allow would be the rights of the group."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), (0x02, 4, 1234), (0x04, 0, nobody), (0x10, 4, nobody), (0x20, 0, nobody)]  # acl(5)
    kept = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    target = tmp_path / "a"
    target.write_bytes(b"old")
    try:
        os.setxattr(target, "system.posix_acl_access", kept)
    except OSError:
        pytest.skip("the file system has no access control lists")
    files.write_atomic(target, b"new")
    assert target.read_bytes() == b"new"
    assert os.getxattr(target, "system.posix_acl_access") == kept
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="has no access control lists that Python knows")
def test_a_list_that_cannot_be_set_gives_the_group_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o640)
    monkeypatch.setattr(os, "getxattr", lambda *_: b"a list")
    monkeypatch.setattr(os, "setxattr", refused)
    files.write_atomic(target, b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="has no extended attributes that Python knows")
def test_tags_and_comments_of_users_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File managers keep them there, and a file that is written in place keeps them."""
    kept = {"user.xdg.tags": b"holiday", "user.comment": b"at the sea"}
    target = tmp_path / "a"
    target.write_bytes(b"old")
    try:
        for name, value in kept.items():
            os.setxattr(target, name, value)
    except OSError:
        pytest.skip("the file system has no extended attributes")
    files.write_atomic(target, b"new")
    assert {name: os.getxattr(target, name) for name in os.listxattr(target) if name.startswith("user.")} == kept
    monkeypatch.setattr(os, "setxattr", lambda *_: os.stat(tmp_path / "nowhere"))  # no room for them, or no right
    files.write_atomic(target, b"newer")
    assert target.read_bytes() == b"newer"


def test_what_could_not_be_written_is_known_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, taken = tmp_path / "old", tmp_path / "taken"
    old.write_bytes(b"old")
    taken.mkdir()
    for path in (old, tmp_path / "new", tmp_path / "a/b/new", os.devnull):
        files.check_target(path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "old", "taken"]
    assert old.read_bytes() == b"old"
    for path, code in ((taken, errno.EISDIR), (f"{tmp_path}/", errno.EISDIR), ("", errno.ENOENT)):
        with pytest.raises(OSError, match=re.escape(os.strerror(code))):
            files.check_target(path)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "temporary")

    monkeypatch.setattr(files, "_create_beside", refuse)
    with pytest.raises(OSError, match=re.escape(f"[Errno {errno.EROFS}] {os.strerror(errno.EROFS)}: '{old}'")):
        files.check_target(old)
