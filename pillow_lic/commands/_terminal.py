"""Text for people: what the command prints, with control characters of names and messages shown instead of obeyed."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from typing import Any, TextIO, cast

from PIL import UnidentifiedImageError

from ..errors import Ignoring, LicError, NotLicError, let_pass

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
    """A text stream that quotes what is printed on it; a message of the command stays on one line, whatever name is in it.

    has_messages: whether text that begins like a message is one. Of a report it may be a line about the codec `lic`.
    """

    def __init__(self, stream: TextIO, *, has_messages: bool) -> None:
        self._stream, self._has_messages = stream, has_messages

    def write(self, text: str) -> int:
        """Write text, quoted, but for the two ends of a line that is drawn again; an error of standard output names it."""
        with nullcontext() if self._has_messages else naming_output():
            self._write(text)
        return len(text)

    def _write(self, text: str) -> None:
        before, after = _REDRAW
        if text.startswith(before) and text.endswith(after):
            self._stream.write(before + quoted(text[len(before) : -len(after)]) + after)
        elif self._has_messages and text.startswith(_MESSAGE):
            self._stream.write(quoted(text.removesuffix("\n")) + "\n" * text.endswith("\n"))
        else:
            self._stream.write(_escaped(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def naming_output() -> Iterator[None]:
    """Have the OSError of a `with` block that writes to standard output name it."""
    try:
        yield
    except OSError as error:
        let_pass(error)
        raise OSError(error.errno, error.strerror, "standard output") from error


@contextmanager
def for_people() -> Iterator[None]:
    """Quote what is printed in a `with` block, and print warnings as messages of the command."""
    with ExitStack() as stack:
        streams = ((redirect_stdout, sys.stdout, False), (redirect_stderr, sys.stderr, True))
        for redirect, stream, has_messages in streams:
            if stream is not None:
                stack.enter_context(redirect(cast(TextIO, _Quoted(stream, has_messages=has_messages))))
        stack.enter_context(naming(""))
        yield


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Print what is warned of in a `with` block as messages about the file of that name, and begin errors about it with the name.

    "-" is standard input.
    """
    name = "standard input" if name == "-" else name

    def show(message: Warning | str, *_: object, **__: object) -> None:
        with Ignoring(OSError):  # as Python does: a log on a full disk ends no work
            print(f"lic: {name}{': ' if name else ''}{message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = show
        try:
            yield
        except (LicError, NotLicError, UnidentifiedImageError) as error:
            if not name or name in str(error):
                raise
            msg = f"{name}: {error}"
            raise type(error)(msg) from error
