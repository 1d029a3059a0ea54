"""Ctrl-C at the command's start and end: one line and 130, whatever is under way; a program that imports us is not touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends signals to processes")

INTERRUPTS_AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == os.environ["INTERRUPTED_AT"]:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)
finder = Finder()
sys.meta_path.insert(0, finder)
"""

PROGRAM = """
import os, sys, time
import pillow_lic.__main__ as lic
def run(words):
    print("begun", flush=True)
    time.sleep(60)
lic._run = run
sys.argv = ["lic"]
sys.exit(lic.main())
"""


def heed_interrupts() -> None:
    """As a shell starts a program; in its background jobs they are ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run_interrupted_at(module: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(INTERRUPTS_AT_IMPORT)
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(folder), "INTERRUPTED_AT": module},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=heed_interrupts,
    )


@pytest.mark.parametrize("how", ["module", "script"])
@pytest.mark.parametrize("module", ["PIL", "pillow_lic.autoload", "argparse", "pillow_lic.commands.info"])
def test_an_interrupt_while_the_command_is_imported(module: str, how: str, tmp_path: Path) -> None:
    (tmp_path / "lic").write_text("import sys\nfrom pillow_lic.__main__ import main\nsys.exit(main())\n")
    words = ["-m", "pillow_lic"] if how == "module" else [str(tmp_path / "lic")]
    ran = run_interrupted_at(module, tmp_path, *words, "info", "none.lic")
    assert (ran.returncode, ran.stdout) == (130, "")
    assert ran.stderr.startswith("lic: interrupted")
    assert ran.stderr.count("\n") == 1


def test_a_program_that_imports_the_package_is_interrupted_as_it_wants(tmp_path: Path) -> None:
    code = (
        "import signal\ntry:\n    import pillow_lic\nexcept KeyboardInterrupt:\n    print('its own')\n"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    ran = run_interrupted_at("pillow_lic.autoload", tmp_path, "-c", code)
    assert (ran.returncode, ran.stdout) == (0, "its own\n")


@pytest.mark.parametrize("argv", [["-m"], [], [""]])
def test_other_programs_are_no_command(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pillow_lic import process_start

    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-m", "pillow_lic_of_another"])
    assert not process_start.is_command()


@pytest.mark.parametrize("given", [None, "3"])
def test_numpy_starts_no_threads_in_the_command(given: str | None) -> None:
    """Where there is no room for one, OpenBLAS presses Ctrl-C."""
    program = """
import os, sys
import pillow_lic.__main__ as lic
lic._run = lambda words: print(os.environ["OPENBLAS_NUM_THREADS"], "numpy" in sys.modules)
sys.argv = ["lic"]
lic.main()
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": given or ""}
    if given is None:
        del environment["OPENBLAS_NUM_THREADS"]
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == (f"{given or 1} False\n", "")


def test_keys_pressed_again_and_again_are_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    ) as program:
        assert program.stdout is not None
        program.stdout.readline()
        while program.poll() is None:
            program.send_signal(signal.SIGINT)
        said = program.communicate()[1]
    assert program.returncode == 130
    assert "Traceback" not in said
    assert "lic: interrupted" in said
