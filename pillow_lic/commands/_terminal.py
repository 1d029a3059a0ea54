"""Text for people: what the command prints, with control characters of names and messages shown instead of obeyed."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""The characters that move the cursor, retitle a window or turn the direction of writing; tabs and ends of lines are left."""
_REDRAW = ("\r", "\x1b[K")
"""Around the text of a line that is drawn again and again."""
_MESSAGE = "lic: "


def quoted(text: str) -> str:
    """Return text with control characters written as escapes, ends of lines too: a name that stays on its line."""
    return _escaped(text).replace("\n", "\\n")


def _escaped(text: str) -> str:
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Quoted:
    """A text stream that quotes what is printed on it; a message of one line stays on its line, whatever name is in it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, quoted, but for the two ends of a line that is drawn again."""
        before, after = _REDRAW
        if text.startswith(before) and text.endswith(after):
            self._stream.write(before + quoted(text[len(before) : -len(after)]) + after)
        elif text.startswith(_MESSAGE):
            self._stream.write(quoted(text.removesuffix("\n")) + "\n" * text.endswith("\n"))
        else:
            self._stream.write(_escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def for_people() -> Iterator[None]:
    """Quote what is printed in a `with` block, and print warnings as messages of the command."""
    with ExitStack() as stack:
        for redirect, stream in ((redirect_stdout, sys.stdout), (redirect_stderr, sys.stderr)):
            if stream is not None:
                stack.enter_context(redirect(cast(TextIO, _Quoted(stream))))
        stack.enter_context(naming(""))
        yield


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Print what is warned of in a `with` block as messages about the file of that name."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"lic: {name}{': ' if name else ''}{message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        yield
