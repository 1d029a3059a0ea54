"""How shells complete the words of `lic`: what they are told, and what a user who presses Tab sees."""

import os
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name != "posix", reason="asks as bash does")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lic be", {"bench"}),
        ("lic convert --fi", {"--first-frame"}),
        ("lic bench --co", {"--codecs"}),
        ("lic bench co", {"coder"}),
        ("lic bench coder --sy", {"--symbols"}),
        ("lic bench restore --q", {"--qualities"}),
        ("lic encode a.png a.lic --model balle2018", {"balle2018"}),
    ],
)
def test_words_are_completed(line: str, expected: set[str], tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    command = f"exec {shlex.quote(sys.executable)} -m pillow_lic 8>answer 9>/dev/null"
    subprocess.run(["sh", "-c", command], env=os.environ | asked, cwd=tmp_path, check=False, capture_output=True)
    assert {word.strip() for word in (tmp_path / "answer").read_text().splitlines()} == expected


SHELLS = {
    "bash": (["--norc"], 'eval "$(register-python-argcomplete lic)"'),
    "zsh": (["-f"], 'autoload -U compinit && compinit -u; eval "$(register-python-argcomplete lic)"'),
    "fish": ([], "register-python-argcomplete --shell fish lic | source"),
}
"""What each is started with, and what README tells its user to write."""


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes_in(shell: str, tmp_path: Path) -> None:
    pty, termios, argcomplete = (pytest.importorskip(name) for name in ("pty", "termios", "argcomplete"))
    fcntl = pytest.importorskip("fcntl")
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    for name, module in {
        "lic": "pillow_lic",
        "register-python-argcomplete": f"{argcomplete.__name__}.scripts.register_python_argcomplete",
    }.items():
        (tmp_path / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m {module} "$@"\n')
        (tmp_path / name).chmod(0o755)
    started, setup = SHELLS[shell]
    terminal, its_end = pty.openpty()
    home = {name: str(tmp_path) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZDOTDIR")}
    path = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm"}
    child = subprocess.Popen(
        [shell, *started, "-i"],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        cwd=tmp_path,
        env=os.environ | home | path,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    try:
        os.write(terminal, f"{setup}; printf '<%s>' set up\n".encode())
        assert "<set><up>" in read_until(terminal, "<set><up>")
        os.write(terminal, b"lic convert --auto-o\t\x01printf '<%s>' \n")  # Ctrl-A: to the beginning of the line
        assert "<lic><convert><--auto-orient>" in read_until(terminal, "<--auto-orient>")
    finally:
        child.kill()
        child.wait()
        os.close(terminal)
        os.close(its_end)


def read_until(terminal: int, end: str) -> str:
    """Return what a terminal shows until it shows `end`, or for a minute."""
    shown, last = "", time.monotonic() + 60
    while end not in shown and time.monotonic() < last:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096).decode("utf-8", "replace")
    return shown
