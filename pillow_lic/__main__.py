"""The `lic` command. What it does is done by functions of the other modules; here are only words and exit codes.

Exit codes: 0 all is well, 1 something failed (said on stderr), 2 the command was not understood or would write over
what must not be lost, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from PIL import Image

from . import __version__
from .options import OPTIONS
from .parsing import byte_count

Command = Callable[[argparse.Namespace], int]


def _encode(args: argparse.Namespace) -> int:
    from . import plugin
    from .batch import transcode

    target = Path(args.target)
    if transcode.is_picture(target) and target.suffix.lower() != ".lic":
        print(f"lic: encode writes .lic files, got {args.target}; decode and convert write others", file=sys.stderr)
        return 2
    if _refuses(args.source, args.target, args.force):
        return 2
    begun = time.perf_counter()
    work = transcode.Transcoder(".lic", _save_options(args), not args.strip)
    source = _source(args.source)
    with Image.open(source) as im:
        width, height = im.size
        data = work.encode(im)
    _write(args.target, data)
    if args.target != "-":
        level = plugin.open(data).info["quality"]
        print(
            f"{args.target}: {len(data):,} bytes, {8 * len(data) / (width * height):.3f} bpp, quality {level:.2f}, "
            f"{time.perf_counter() - begun:.2f} s"
        )
    return 0


def _decode(args: argparse.Namespace) -> int:
    from . import plugin
    from .batch import transcode

    begun = time.perf_counter()
    suffix = f".{args.format.lower().lstrip('.')}" if args.format else Path(args.target).suffix.lower() or ".png"
    if suffix == ".lic":
        print("lic: decode writes other formats than .lic; encode and convert write it anew", file=sys.stderr)
        return 2
    if _refuses(args.source, args.target, args.force):
        return 2
    with plugin.open(_source(args.source)) as im:
        data = transcode.Transcoder(suffix, {}, not args.strip).encode(im)
    _write(args.target, data)
    if args.target != "-":
        print(f"{args.target}: {len(data):,} bytes, {time.perf_counter() - begun:.2f} s")
    return 0


def _info(args: argparse.Namespace) -> int:
    from . import color, describe
    from .batch import transcode

    if args.map is not None and len(args.files) != 1:
        print(f"lic: --map draws the map of one file, got {len(args.files)}", file=sys.stderr)
        return 2
    if args.map is not None and (args.map == "-" or Path(args.map).suffix.lower() == ".lic"):
        print(f"lic: --map must name a file to write other than a .lic file, got {args.map}", file=sys.stderr)
        return 2
    if args.map is not None and _refuses(args.files[0], args.map, args.force):
        return 2
    failed = 0
    for name in args.files:
        try:
            source = _source(name)
            data = Path(source).read_bytes() if isinstance(source, str) else source.read()
            facts = describe.describe(data)
        except (OSError, SyntaxError) as error:
            print(f"lic: {name}: {error}", file=sys.stderr)
            failed += 1
            continue
        failed += facts["damage"] is not None
        print(json.dumps({"file": name, **facts}) if args.json else f"{name}\n{describe.as_text(facts)}")
        if args.map is not None:
            suffix = Path(args.map).suffix.lower() or ".png"
            drawn = transcode.Transcoder(suffix, {}, False).encode(color.from_array(describe.draw_map(data)))
            _write(args.map, drawn)
    return 1 if failed else 0


def _convert(args: argparse.Namespace) -> int:
    from .batch import conversion
    from .batch.progress import ProgressLine

    *sources, destination = args.paths
    if not sources:
        print("lic: convert needs at least one SRC and a DST", file=sys.stderr)
        return 2
    line = ProgressLine(sys.stderr, shown=not args.quiet)
    try:
        with _workers(args) as how:
            summary = conversion.convert(
                sources,
                destination,
                to=args.to,
                force=args.force,
                keep_metadata=not args.strip,
                progress=line.update,
                budget=args.budget,
                **how,
                **_save_options(args),
            )
    finally:
        line.close()
    for result in summary.failed:
        print(f"lic: {result.pair.source}: {result.error}", file=sys.stderr)
    saved = f", {1 - summary.bytes_out / summary.bytes_in:.0%} saved" if summary.bytes_in > summary.bytes_out else ""
    print(
        f"{len(summary.done)} converted, {len(summary.skipped)} there already, {len(summary.failed)} failed; "
        f"{summary.bytes_in:,} -> {summary.bytes_out:,} bytes{saved}; {summary.seconds:.1f} s"
    )
    if args.budget is not None:
        used = sum(result.bytes_out for result in (*summary.done, *summary.skipped))
        print(f"{used:,} of {args.budget:,.0f} bytes used, {used / args.budget:.1%}")
    return 1 if summary.failed else 0


@contextmanager
def _workers(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Who does the work, in the words of `convert`."""
    if args.scheduler is None:
        yield {"workers": 1 if args.jobs is None else args.jobs}
        return
    if args.jobs is not None:
        msg = f"-j must be left out with --scheduler, the cluster has its own workers, got {args.jobs}"
        raise ValueError(msg)
    from .batch import cluster

    with cluster.connect(args.scheduler) as found:
        yield found._asdict()


def _demo(args: argparse.Namespace) -> int:
    from .bench import demo

    return demo.main(args.pictures, args.quality, args.keep)


def _autoload(args: argparse.Namespace) -> int:
    from .autoload import installation

    if args.what == "on":
        for path in installation.turn_on():
            print(f"wrote {path}")
    elif args.what == "off":
        for path in installation.turn_off():
            print(f"removed {path}")
    print(f"autoload is {installation.status()} in {installation.site_directory()}")
    return 0


def _probe(args: argparse.Namespace) -> int:
    from .files import write_atomic
    from .probe import probe

    def told(*words: str) -> None:
        if sys.stderr.isatty():
            print(f"\r{' '.join(words)}\x1b[K", end="", file=sys.stderr, flush=True)

    names = args.only or probe.installed()
    if missing := set(names) - set(probe.installed()):
        print(f"lic: not installed: {', '.join(sorted(missing))}", file=sys.stderr)
        return 2
    answers = probe.probe(names, args.row or (), told)
    told()
    if args.json:
        write_atomic(args.json, probe.as_json(answers).encode())
    print(probe.as_table(answers, args.markdown))
    return 0


def _source(name: str) -> str | IO[bytes]:
    if name != "-":
        return name
    if sys.stdin is None:
        msg = "standard input is closed"
        raise OSError(msg)
    return io.BytesIO(sys.stdin.buffer.read())


def _refuses(source: str, target: str, force: bool) -> bool:
    """Whether the target must not be written over, which is then said."""
    from .batch import overwriting

    if words := overwriting.objection(source, target, force=force):
        print(f"lic: {words}", file=sys.stderr)
    return bool(words)


def _write(target: str, data: bytes) -> None:
    from .files import write_atomic

    if target != "-":
        write_atomic(target, data)
    elif sys.stdout is None:
        msg = "standard output is closed"
        raise OSError(msg)
    else:
        sys.stdout.buffer.write(data)


def _save_options(args: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(args, name) for name in OPTIONS if getattr(args, name, None) is not None}


def _typed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return `parse` as argparse wants it, which shows only its own kind of error."""

    def typed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return typed


def _add_encoding(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of save that a command has."""
    for name, row in OPTIONS.items():
        if command not in row.commands:
            continue
        flags = [f"-{row.letter}"] * bool(row.letter) + [f"--{name.replace('_', '-')}"]
        words: dict[str, Any] = {"help": f"{row.written or row.legal}. {row.meaning}".replace("%", "%%")}
        if row.parse is None:
            parser.add_argument(*flags, action="store_true", default=None, **words)
            continue
        action = "append" if row.repeatable else "store"
        parser.add_argument(*flags, type=_typed(row.parse), metavar=row.metavar, action=action, **words)
    parser.add_argument("--strip", action="store_true", help="leave EXIF and XMP out (ICC profiles are kept)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lic", description="Learned image compression: .lic files.")
    parser.add_argument("--version", action="version", version=f"pillow-lic {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, summary: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=summary)
        sub.set_defaults(command=command)
        return sub

    encode = add("encode", _encode, "Write a picture of any format as .lic; - is standard input or output.")
    encode.add_argument("source")
    encode.add_argument("target")
    encode.add_argument("-f", "--force", action="store_true", help="replace what is there, not only .lic files")
    _add_encoding(encode, "encode")

    decode = add("decode", _decode, "Write a .lic picture in another format; - is standard input or output.")
    decode.add_argument("source")
    decode.add_argument("target")
    decode.add_argument("--format", help="of the target (default: by its name; png for -)")
    decode.add_argument("-f", "--force", action="store_true", help="replace what is there")
    decode.add_argument("--strip", action="store_true", help="leave EXIF and XMP out")

    info = add("info", _info, "Show what .lic files say about themselves and check them; runs no network.")
    info.add_argument("files", nargs="+", metavar="file")
    info.add_argument("--json", action="store_true", help="one JSON object a line")
    info.add_argument("--map", metavar="PICTURE", help="also draw the importance map: white has the highest quality")
    info.add_argument("-f", "--force", action="store_true", help="let --map replace what is there")

    convert = add("convert", _convert, "Convert files, directories, patterns and URLs; goes on where it was stopped.")
    convert.add_argument("paths", nargs="+", metavar="SRC... DST")
    convert.add_argument("--to", metavar="FORMAT", help="lic (default) or any extension Pillow writes")
    convert.add_argument("-j", "--jobs", type=int, metavar="N", help="worker processes (default 1)")
    convert.add_argument("--scheduler", metavar="ADDRESS", help="work on the Dask cluster of this scheduler")
    convert.add_argument(
        "--budget", type=_typed(byte_count), metavar="BYTES", help="for all files together (5GB): measure, then share"
    )
    convert.add_argument("-f", "--force", action="store_true", help="also make what is there, even over originals")
    convert.add_argument("--quiet", action="store_true", help="no progress line")
    _add_encoding(convert, "convert")

    demo = add("demo", _demo, "Show a photo as .lic beside JPEG, WebP and AVIF at the same size.")
    demo.add_argument("pictures", nargs="*", metavar="picture")
    demo.add_argument("-q", "--quality", type=float, default=6, metavar="Q", help="of the .lic file (default 6)")
    demo.add_argument("--keep", metavar="DIR", help="leave the files in this directory")

    installation = add(
        "autoload", _autoload, "Let every program of this environment read .lic without importing anything."
    )
    installation.add_argument("what", choices=["on", "off", "status"])

    probe = add("probe", _probe, "Compare how the installed Pillow plugins of lossy formats behave; takes minutes.")
    probe.add_argument("--only", action="append", metavar="PLUGIN", help="ask this one (JPEG, LIC, ...); repeatable")
    probe.add_argument("--row", action="append", metavar="KEY", help="this row, by its key in --json; repeatable")
    probe.add_argument("--json", metavar="FILE", help="also write the answers with details and methods")
    probe.add_argument("--markdown", action="store_true", help="print the table as Markdown")

    add("bench", _bench, "Measure speed and size; `lic bench coder` measures the range coder alone.")
    return parser


def _bench(args: argparse.Namespace) -> int:
    raise AssertionError(args)  # main hands its words on before they are parsed


def _run_bench(words: Sequence[str]) -> int:
    from .bench import coder, measurement

    return coder.main(words[1:]) if words[:1] == ["coder"] else measurement.main(words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with these words (default: the process's) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that it cannot encode is no failure
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives
    try:
        if words[:1] == ["bench"]:
            return _run_bench(words[1:])
        args = _parser().parse_args(words)
        command: Command = args.command
        return command(args)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes
        return 1
    except (
        OSError,
        SyntaxError,
        ValueError,
        TypeError,
        ImportError,
        MemoryError,
        RuntimeError,  # what some of Pillow's plugins say of a broken file
        Image.DecompressionBombError,
    ) as error:
        print(f"lic: {error or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lic: interrupted; run the same command again to go on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
