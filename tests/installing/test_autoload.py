"""Hooks that wait for an import, and the start-up files that use them in a fresh interpreter."""

import errno
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from pillow_lic import installed_files
from pillow_lic.autoload import after_import, installation
from pillow_lic.files import write_atomic


def run_python(program: str, *args: object, **env: str) -> str:
    command = [sys.executable, "-c", program, *map(str, args)]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **env}, cwd="/"
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.strip()


@pytest.fixture
def waiting_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that can be imported but is not yet."""
    (tmp_path / "lic_waiting.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lic_waiting", raising=False)
    return "lic_waiting"


def test_action_runs_once_after_the_module(waiting_module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    finders = len(sys.meta_path)
    after_import.after_import(waiting_module, lambda: seen.append(sys.modules[waiting_module].value))
    assert seen == []
    module = __import__(waiting_module)
    assert seen == [1]
    assert len(sys.meta_path) == finders
    monkeypatch.delitem(sys.modules, waiting_module)
    __import__(waiting_module)
    assert seen == [1]
    assert "exec_module" not in vars(module.__loader__)


def test_looking_for_a_module_is_not_importing_it(waiting_module: str) -> None:
    import importlib.util

    seen: list[int] = []
    after_import.after_import(waiting_module, lambda: seen.append(1))
    assert importlib.util.find_spec(waiting_module) is not None
    assert seen == []
    __import__(waiting_module)
    assert seen == [1]


def test_a_loader_of_several_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.machinery

    class Loader:
        def create_module(self, spec: object) -> None:
            return None

        def exec_module(self, module: types.ModuleType) -> None:
            module.value = 3  # type: ignore[attr-defined]

    loader = Loader()

    class Finder:
        def find_spec(self, name: str, path: object, target: object) -> object:
            return importlib.machinery.ModuleSpec(name, loader) if name.startswith("lic_shared") else None

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    seen: list[int] = []
    after_import.after_import("lic_shared", lambda: seen.append(1))
    import importlib.util

    assert importlib.util.find_spec("lic_shared") is not None
    assert __import__("lic_shared_other").value == 3
    assert seen == []
    assert __import__("lic_shared").value == 3
    assert seen == [1]
    for name in ("lic_shared", "lic_shared_other"):
        monkeypatch.delitem(sys.modules, name)


def test_several_actions_wait_for_one_module(waiting_module: str) -> None:
    """Python may read a start-up file twice; each of the two finders asks all others, so also the other one."""
    seen: list[int] = []
    finders = len(sys.meta_path)
    for number in range(3):
        after_import.after_import(waiting_module, lambda number=number: seen.append(number))
    assert __import__(waiting_module).value == 1
    assert sorted(seen) == [0, 1, 2]
    assert len(sys.meta_path) == finders


def test_action_runs_now_if_the_module_is_there() -> None:
    seen: list[int] = []
    after_import.after_import("os", lambda: seen.append(1))
    assert seen == [1]


def test_a_module_that_does_not_exist_stays_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", sys.meta_path.copy())  # the finder that waits is left behind
    after_import.after_import("lic_no_such_module", lambda: pytest.fail("ran"))
    with pytest.raises(ModuleNotFoundError):
        __import__("lic_no_such_module")


def test_a_loader_that_cannot_be_hooked_still_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.machinery

    class Loader:
        __slots__ = ()

        def create_module(self, spec: object) -> None:
            return None

        def exec_module(self, module: types.ModuleType) -> None:
            module.value = 2  # type: ignore[attr-defined]

    class Finder:
        def find_spec(self, name: str, path: object, target: object) -> object:
            return importlib.machinery.ModuleSpec(name, Loader()) if name == "lic_slots" else None

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    after_import.after_import("lic_slots", lambda: None)
    assert __import__("lic_slots").value == 2
    monkeypatch.delitem(sys.modules, "lic_slots")


def test_on_status_off(tmp_path: Path) -> None:
    assert installation.status(tmp_path) == "off"
    written = installation.turn_on(tmp_path)
    assert sorted(path.suffix for path in written) == [".pth", ".py", ".start"]
    assert installation.status(tmp_path) == "on"
    written[0].write_text("# of another release\n")
    assert installation.status(tmp_path) == "outdated"
    assert installation.turn_on(tmp_path) == written
    assert installation.status(tmp_path) == "on"
    assert sorted(installation.turn_off(tmp_path)) == sorted(written)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert installation.turn_off(tmp_path) == []


@pytest.mark.parametrize("suffix", [".py", ".pth", ".start"])
def test_on_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    def full(path: Path, data: bytes) -> None:
        if path.suffix == suffix:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_atomic(path, data)

    monkeypatch.setattr(installed_files, "write_atomic", full)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        installation.turn_on(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="needs limits of POSIX")
def test_no_half_of_what_is_compiled_is_left_on_a_full_disk(tmp_path: Path) -> None:
    """Python would read it at each start, and say so."""
    program = (
        "import resource, signal, sys; from pathlib import Path; from pillow_lic.autoload import installation\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "installation.turn_on(Path(sys.argv[1])); print(installation.status(Path(sys.argv[1])))\n"
    )
    assert run_python(program, tmp_path) == "on"
    assert [path.name for path in tmp_path.rglob("*.pyc")] == []
    installation.turn_on(tmp_path)
    (compiled,) = tmp_path.rglob("*.pyc")
    assert compiled.stat().st_size > 4096
    program = "import sys; sys.path.insert(0, sys.argv[1]); import _pillow_lic_autoload"
    done = subprocess.run([sys.executable, "-v", "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert f"# {compiled} matches" in done.stderr


def test_off_where_nothing_may_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert installation.turn_off(tmp_path) == []


def test_the_default_place_is_where_packages_are() -> None:
    assert installation.site_directory().name == "site-packages"


OPEN = "import site, sys; site.addsitedir(sys.argv[1]); from PIL import Image; print(Image.open(sys.argv[2]).format)"


def test_a_program_that_knows_only_pillow(tmp_path: Path, lic: Path) -> None:
    installation.turn_on(tmp_path)
    assert run_python(OPEN, tmp_path, lic) == "LIC"


def test_switched_off_by_the_environment(tmp_path: Path) -> None:
    installation.turn_on(tmp_path)
    program = "import site, sys; site.addsitedir(sys.argv[1]); import PIL.Image; print('LIC' in PIL.Image.OPEN)"
    assert run_python(program, tmp_path, LIC_AUTOLOAD="0") == "False"
    assert run_python(program, tmp_path, LIC_AUTOLOAD="1") == "True"


def test_read_twice_waits_once(tmp_path: Path) -> None:
    installation.turn_on(tmp_path)
    program = (
        "import site, sys; site.addsitedir(sys.argv[1]); before = len(sys.meta_path); "
        "site.addsitedir(sys.argv[1]); print(len(sys.meta_path) - before)"
    )
    assert run_python(program, tmp_path) == "0"


def test_nothing_is_imported_while_pillow_is_not(tmp_path: Path) -> None:
    installation.turn_on(tmp_path)
    program = (
        "import os, site, sys; before = set(sys.modules); site.addsitedir(sys.argv[1]); "
        "print(*sorted(set(sys.modules) - before))"
    )
    of_site = {"encodings.utf_8_sig"}  # what reads the first start-up file, from Python 3.13 on
    assert set(run_python(program, tmp_path).split()) <= {"_pillow_lic_autoload", "__future__"} | of_site


def test_start_up_files_that_outlive_the_package_say_nothing(tmp_path: Path) -> None:
    installation.turn_on(tmp_path)
    program = (
        "import site, sys; sys.modules['pillow_lic'] = None; site.addsitedir(sys.argv[1]); "
        "import PIL.Image; print(PIL.Image.__name__)"
    )
    assert run_python(program, tmp_path) == "PIL.Image"


def test_the_start_file_names_what_the_pth_line_calls(tmp_path: Path) -> None:
    installation.turn_on(tmp_path)
    module, _, function = (tmp_path / "pillow_lic_autoload.start").read_text().strip().partition(":")
    assert (tmp_path / "pillow_lic_autoload.pth").read_text() == f"import {module}; {module}.{function}()\n"
    assert (tmp_path / f"{module}.py").read_text() == Path(after_import.__file__).read_text()
    assert callable(getattr(after_import, function))


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs a signal")
def test_a_time_limit_of_the_program_passes() -> None:
    program = """
import signal, sys
from pillow_lic.autoload import after_import

for name in [name for name in sys.modules if name.partition(".")[0] == "pillow_lic"]:
    del sys.modules[name]

class TimeLimit(Exception):
    pass

def late(*_):
    raise TimeLimit

class Slow:
    passed = False

    def find_spec(self, name, path=None, target=None):
        if name == "pillow_lic" and not self.passed:
            self.passed = True
            signal.raise_signal(signal.SIGALRM)

signal.signal(signal.SIGALRM, late)
sys.meta_path.insert(0, Slow())
try:
    after_import._register()
except TimeLimit:
    print("it passed")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == ("it passed\n", "")
