"""The `lic` command: finds the command that is named, runs it, and turns errors into one line and an exit code.

Exit codes: those of the commands (see `commands`), 1 for an error, 130 when interrupted.
"""

from __future__ import annotations

from .process_start import INTERRUPTED, Quiet, is_command, without_threads_of_numpy

with Quiet(__name__ == "__main__" or is_command()):
    import argparse
    import io
    import os
    import sys
    from collections.abc import Sequence

    from PIL import Image

    from . import __version__
    from .commands import _interrupts, commands
    from .commands._terminal import for_people, naming_output
    from .errors import let_pass

_SAID_IN_FULL = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    ImportError,
    MemoryError,
    RuntimeError,
    Image.DecompressionBombError,
)
"""Kinds of errors whose words need no more to be understood."""
_COMPLETION = """tab completion, after pip install "pillow-lic[completion]":
  eval "$(register-python-argcomplete lic)"                 in bash, and in zsh after compinit
  register-python-argcomplete --shell fish lic | source     in fish
"""


def _parser(completed: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of all commands; of one with parsers of its own it has the words only if these begin with its name."""
    parser = argparse.ArgumentParser(
        prog="lic",
        description="Learned image compression: .lic files.",
        epilog=_COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pillow-lic {__version__}")
    named = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command in commands().items():
        examples = getattr(command, "EXAMPLES", "")
        own = [command.parser(completed[1:])] if completed[:1] == [name] and hasattr(command, "parser") else []
        sub = named.add_parser(
            name,
            parents=own,
            add_help=not own,
            help=command.SUMMARY,
            description=command.SUMMARY,
            epilog=f"examples:{examples.rstrip()}" if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if hasattr(command, "run"):
            command.add_words(sub)
            sub.set_defaults(run=command.run)
    return parser


def _complete() -> None:
    """Answer a shell that asks how a command line may go on; argcomplete is an optional extra, and ends the process."""
    import argcomplete

    argcomplete.autocomplete(_parser(os.environ.get("COMP_LINE", "").split()[1:]))


def _run(words: Sequence[str]) -> int:
    own_parser = getattr(commands().get(words[0]), "main", None) if words else None
    if own_parser is not None:
        return int(own_parser(words[1:]))
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return 2
    args, more = parser.parse_known_args(words)
    if hasattr(args, "several") and all(word == "-" or not word.startswith("-") for word in more):
        getattr(args, args.several).extend(more)  # names behind an option that stands among them
        more = []
    if more:
        several = f"; {words[0]} takes one file, `lic convert` several" if words[0] in ("encode", "decode") else ""
        parser.error(f"unrecognized arguments: {' '.join(more)}{several}")
    return int(args.run(args))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these words (default: the process's) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    if argv is None:
        without_threads_of_numpy()
        _fill_descriptors()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it cannot encode is no failure
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    if argv is None:
        _interrupts.answer()
    with for_people(), _interrupts.repeated():
        code = _guarded(words)
        if argv is None:
            _put_away_output()
    if argv is None:
        _interrupts.ignore()
    return code


def _fill_descriptors() -> None:
    """Put /dev/null where a standard stream is closed: a file that is opened next would stand there, and take what a library prints."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def _guarded(words: Sequence[str]) -> int:
    try:
        return _told(words)
    except KeyboardInterrupt:
        print("lic: interrupted; run the same command again to go on", file=sys.stderr)
        # Where it came in a class that is made out of text (dataclasses, named tuples), CPython notes it as one that nobody caught
        # and ends `python -m` by a signal of its own; the next text that runs takes the note away.
        exec("")
        return INTERRUPTED


def _flush() -> None:
    """Give standard output what is printed; else Python does at the very end, where an error is a traceback."""
    if sys.stdout is not None:
        with naming_output():
            sys.stdout.flush()


def _put_away_output() -> None:
    """Have what standard output did not take go nowhere, or Python complains when it ends."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _told(words: Sequence[str]) -> int:
    code, ended = 0, None
    try:
        try:
            code = _run(words)
        except SystemExit as end:  # of help, and of words that are not understood
            ended = end
        _flush()
    except BrokenPipeError:
        return 1
    except Exception as error:
        let_pass(error)
        _interrupts.check()
        # Of Pillow's plugins some say of a broken file whatever they come upon; only its kind tells what that is about.
        kind = "" if isinstance(error, _SAID_IN_FULL) and str(error) else f"{type(error).__name__}: "
        print(f"lic: {kind}{error}".removesuffix(": "), file=sys.stderr)
        return 1
    if ended is not None:
        raise ended
    return code


if __name__ == "__main__":
    sys.exit(main())
