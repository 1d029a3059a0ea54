"""An exception of a time limit or a key of the user passes through, whatever was being done; it is no fault of a file."""

from __future__ import annotations

import ast
import ctypes
import functools
import gc
import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pillow_lic
from pillow_lic import errors
from pillow_lic.engine import models, runtime

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that signal")


class TimeLimit(Exception):
    """As Celery's SoftTimeLimitExceeded and RQ's JobTimeoutException: a kind of its own."""


class Limit:
    """Handlers of the kinds that programs register."""

    def method(self, *_: object) -> None:
        raise TimeLimit

    def __call__(self, *_: object) -> None:
        raise OSError(5, "time is over")


def plain(*_: object) -> None:
    raise TimeLimit


HANDLERS = [plain, Limit().method, Limit(), functools.partial(plain, 1)]


@pytest.fixture(params=HANDLERS, ids=["function", "method", "object", "partial"])
def alarm(request: pytest.FixtureRequest) -> Iterator[Callable[[float], None]]:
    before = signal.signal(signal.SIGALRM, request.param)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8))


@pytest.fixture(scope="module")
def coded(noise: Image.Image) -> bytes:
    return pillow_lic.encode(noise, quality=1)


@pytest.mark.parametrize("delay", [0.05, 0.3])
@pytest.mark.parametrize("what", ["load", "encode", "convert"])
def test_a_time_limit_passes(
    what: str, delay: float, noise: Image.Image, coded: bytes, tmp_path: Path, alarm: Callable[[float], None]
) -> None:
    (tmp_path / "a.lic").write_bytes(coded)
    work: dict[str, Callable[[], object]] = {
        "load": Image.open(io.BytesIO(coded)).load,
        "encode": lambda: pillow_lic.encode(noise, quality=2),
        "convert": lambda: pillow_lic.convert(tmp_path / "a.lic", tmp_path / "a.png"),
    }
    with pillow_lic.settings(threads=1), pytest.raises((TimeLimit, OSError)) as caught:  # noqa: PT012 - it may come at any of these lines
        alarm(delay)
        work[what]()
        pytest.fail("the limit came too late")
    assert caught.type is TimeLimit or str(caught.value) == "[Errno 5] time is over"


class Late(TimeoutError, ValueError, RuntimeError):
    """What a handler may raise that libraries raise of themselves too: nobody may take it for a broken file."""


PACKAGE = Path(errors.__file__).parent
TAKES_ALL = {"Exception", "OSError", "ValueError", "TypeError", "RuntimeError", "ImportError"}
"""Kinds that a time limit may have or become."""
OF_THE_COMMAND = (
    "commands",
    "bench",
    "papers",
    "probe",
    "desktop",
    "autoload",
    "freezing",
    "command_values",
    "process_start",
    "__main__",
)
"""What runs for `lic` alone, where no handler of others is, and what stands alone (`test_autoload.py`)."""


def handlers(path: Path) -> list[ast.ExceptHandler]:
    """Return the clauses of a file that catch one of `TAKES_ALL`."""
    found = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ExceptHandler)]
    return [
        node for node in found if TAKES_ALL & {n.id for n in ast.walk(node.type or node) if isinstance(n, ast.Name)}
    ]


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in OF_THE_COMMAND
    ],
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_whoever_catches_many_kinds_lets_pass_what_is_not_of_the_work(path: Path) -> None:
    for handler in handlers(path):
        first = ast.unparse(handler.body[0])
        body = ast.unparse(ast.Module(handler.body, []))
        of_a_worker = path.name == "processes.py" and handler.lineno > next(
            number
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if line.startswith("def _work(")
        )
        assert "let_pass(" in body or first == "raise" or of_a_worker, f"line {handler.lineno}"


@pytest.mark.parametrize("what", ["region", "lossless", "draft", "restored", "extract", "save"])
def test_a_time_limit_of_any_kind_passes_at_any_moment(
    what: str, tmp_path: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for one that Python itself says it lost: what is raised in a callback of the interpreter goes no further."""
    photo.save(tmp_path / "a.jpg")
    flat, kept = (
        pillow_lic.encode(photo, lossless=True),
        pillow_lic.encode(Image.open(tmp_path / "a.jpg"), model="restored"),
    )
    work: dict[str, Callable[[], object]] = {
        "region": lambda: pillow_lic.open(flat).region((5, 5, 40, 40)),
        "lossless": lambda: pillow_lic.open(flat).load(),
        "draft": lambda: pillow_lic.open(pillow_lic.encode(photo)).thumbnail((20, 20)),
        "restored": lambda: pillow_lic.open(kept).load(),
        "extract": lambda: pillow_lic.extract(kept),
        "save": lambda: pillow_lic.save(photo, tmp_path / "a.lic", lossless=True),
    }

    def ring(*_: object) -> None:
        raise Late("time is over")

    before = signal.signal(signal.SIGALRM, ring)
    lost: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: lost.append(said.exc_value))
    gc.disable()  # hypothesis has a callback of the collector
    work[what]()
    begun = time.perf_counter()
    work[what]()
    whole = time.perf_counter() - begun
    try:
        for turn in range(1, 30):
            # Pillow and the standard library have short places that catch any error; a handler of ours loses it every time.
            for _ in range(3):
                try:
                    signal.setitimer(signal.ITIMER_REAL, max(whole * turn / 30, 1e-6))
                    work[what]()
                    time.sleep(60 * whole)
                except Late:
                    break
                if lost and isinstance(lost.pop(), Late):
                    break
            else:
                pytest.fail("the limit never came")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()
    work[what]()


def test_an_interrupt_in_a_class_made_of_text_ends_in_the_same_code(tmp_path: Path) -> None:
    """As where it comes while dataclasses are imported: not by the signal by which CPython would end `python -m`."""
    program = """
import sys
from pillow_lic import __main__ as command
command._run = lambda words: exec("raise KeyboardInterrupt")
sys.exit(command.main([]))
"""
    (tmp_path / "interrupted_command.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "interrupted_command"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (130, "lic: interrupted; run the same command again to go on\n")


@pytest.mark.parametrize("times", [1, 3])
def test_an_interrupt_that_python_loses_comes_again(times: int) -> None:
    """What is raised in the callback of a weak reference goes no further; modules that are imported have such callbacks."""
    ran = interrupted(f"""
    for _ in range({times}):
        thing = Thing()
        kept = weakref.ref(thing, press)
        del thing
    time.sleep(120)
""")
    check_interrupted(ran)


def test_an_interrupt_does_not_come_again_where_it_would_be_lost_for_good() -> None:
    """Python passes over what is raised in the hook itself, where the thread may stand for long on a machine that is busy."""
    ran = interrupted("""
    start = command._interrupts._thread.start_new_thread

    def slowly(*words):
        start(*words)
        time.sleep(0.3)

    command._interrupts._thread.start_new_thread = slowly
    thing = Thing()
    kept = weakref.ref(thing, press)
    del thing
    time.sleep(20)
""")
    check_interrupted(ran)


def test_an_interrupt_that_compiled_code_makes_another_error_of_is_one() -> None:
    """As the import of numpy does, which asks for `datetime`."""
    ran = interrupted("""
    try:
        press()
    except KeyboardInterrupt:
        pass
    raise ImportError("PyCapsule_Import could not import module datetime")
""")
    assert (ran.returncode, ran.stderr) == (130, "lic: interrupted; run the same command again to go on\n")


def check_interrupted(ran: subprocess.CompletedProcess[str]) -> None:
    """Check that a command said once that it was interrupted, and nothing else."""
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr == "lic: interrupted; run the same command again to go on\n"


def interrupted(body: str) -> subprocess.CompletedProcess[str]:
    """Run `lic models` with these lines in place of what it does."""
    program = f"""
import os, signal, sys, time, weakref
from pillow_lic import __main__ as command
from pillow_lic.commands import models

class Thing:
    pass

def press(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)

def run(args):{body}
    return 0

models.run = run
sys.argv = ["lic", "models"]
sys.exit(command.main())
"""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_what_another_thread_raises_here_passes() -> None:
    """As RQ's TimerDeathPenalty and stopit do it."""
    me, seen = threading.get_ident(), False
    kind = type("Elsewhere", (Exception,), {"__module__": "elsewhere.limits"})

    def ring() -> None:
        time.sleep(0.1)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(kind))

    threading.Thread(target=ring).start()
    try:
        for _ in range(1000):
            time.sleep(0.01)
    except Exception as error:
        seen = errors.is_from_outside(error)
    assert seen


@pytest.mark.parametrize("explicitly", [True, False])
def test_a_time_limit_that_the_work_made_another_error_of_passes(
    explicitly: bool, alarm: Callable[[float], None]
) -> None:
    """As Python's `enum` and the start of compiled modules do."""

    def work() -> None:
        try:
            alarm(0.01)
            time.sleep(60)
        except Exception as error:
            if explicitly:
                raise TypeError("cannot be made") from error
            raise TypeError("cannot be made")  # noqa: B904 - as work does that forgets the cause

    with pytest.raises((TimeLimit, OSError)):  # noqa: PT012 - it may come at any of these lines
        try:
            work()
        except Exception as error:
            errors.let_pass(error)


@pytest.mark.parametrize(
    "work", [lambda: np.empty(2**62, np.uint8), lambda: int("x"), lambda: Image.open(io.BytesIO())]
)
def test_what_the_work_raises_is_its_own(work: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any kind
        work()
    assert not errors.is_from_outside(caught.value)


@pytest.mark.parametrize("first", [KeyboardInterrupt(), SystemExit(3), ValueError("odd")])
def test_an_import_of_the_engine_that_is_interrupted(first: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled module makes an ImportError of all that is raised while it begins."""

    class Finder:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "onnxruntime":
                raise ImportError("initialization failed") from first

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(runtime, "_sessions", {})
    expected = errors.LicRuntimeError if isinstance(first, ValueError) else type(first)
    with pytest.raises(expected) as caught:
        models.choose(None).run("synthesis")
    assert isinstance(first, ValueError) or caught.value is first
