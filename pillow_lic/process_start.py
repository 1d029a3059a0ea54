"""The start of a process that is ours: Ctrl-C while the `lic` command is still being imported, and the threads of numpy.

When Ctrl-C comes so early, nothing has been done and there is nobody to tell; Python answers it with a traceback of whatever
it imports. Modules of the interpreter's start only: the command's first line is among the first of the package.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130
"""Exit code of an interrupted command, as shells have it: 128 and the number of SIGINT."""


def is_command() -> bool:
    """Whether Python runs the `lic` command: its script, or `python -m pillow_lic`, while `runpy` looks for that."""
    if not getattr(sys, "argv", None):
        return False
    if sys.argv[0] == "-m":
        return sys.orig_argv[-len(sys.argv)].removeprefix("-m") == __package__
    return os.path.basename(sys.argv[0]) in ("lic", "lic.exe", "lic-script.py")


def without_threads_of_numpy() -> None:
    """Have numpy, which is not imported yet, start no threads of its own; by default it starts one for each processor.

    They would do nothing here. If the system allows no more threads, OpenBLAS sends this process the signal of Ctrl-C.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


class Quiet:
    """A `with` block in which Ctrl-C ends the process with one line, where Python would raise KeyboardInterrupt."""

    def __init__(self, wanted: bool) -> None:
        self._wanted, self._is_set = wanted, False

    def __enter__(self) -> None:
        if not self._wanted:
            return
        import _signal as signal  # type: ignore[import-not-found]  # `signal` takes its time: it imports `enum`

        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            return  # a shell's background job ignores it
        try:
            signal.signal(signal.SIGINT, _end)
        except ValueError:  # not the main thread
            return
        self._is_set = True

    def __exit__(self, *_: object) -> None:
        if self._is_set:
            import _signal as signal

            signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    try:
        os.write(2, b"lic: interrupted\n")
    finally:
        os._exit(INTERRUPTED)
