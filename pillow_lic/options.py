"""The options of save, in one table: the fields of `EncodeOptions`, each with its check, its range and its words.

Pillow's keywords, imageio's, the command line and the documentation are read from that table. Values are checked when
they are given: before any work is done or any file is touched.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, TypeVar

from . import command_values
from .arguments import number, positive, shown
from .fileformat.levels import quality_to_level
from .importance.places import LEGAL_PLACES, LEGAL_ROI, boxes, importance, is_map

DEFAULT_QUALITY = 6.0
"""Quality when neither ``quality`` nor a target is given."""

MAX_EFFORT = 9

Documented = TypeVar("Documented", bound=Callable[..., object])


@dataclass(frozen=True)
class Option:
    """An option of save: a row of the table.

    legal: its values, in words that follow "must be". meaning: a few sentences for people. in_python: more of them, about values
    that no command line has. check: returns the value as it is kept, of the option's name, a value and `legal`; ValueError for one
    that is not legal.

    On a command line: parse returns the value of a text, ValueError if there is none; it is None for an option that is only
    on or off. metavar is what help calls the value, written which of the legal ones can be written, letter that of the short
    form. A repeatable option is a list of what is given. commands are those of `lic` that have it.

    sets_quality: at most one of these may be given. takes_mask: an image or an array may stand for places.
    """

    legal: str
    meaning: str
    check: Callable[[str, Any, str], Any]
    parse: Callable[[str], Any] | None
    in_python: str = ""
    metavar: str | None = None
    written: str = ""
    letter: str = ""
    repeatable: bool = False
    sets_quality: bool = False
    takes_mask: bool = False
    commands: tuple[str, ...] = ("encode", "convert")


def _option(default: Any = None, **row: Any) -> Any:
    """Return a dataclass field that has a row of the table."""
    return field(default=default, metadata={"option": Option(**row)})


def normalise_quality(quality: float) -> float:
    """Return ``quality`` on the scale 1..10.

    1..10 is the scale itself; 11..100 is read as percent of it (85 -> 8.5), because applications written for JPEG pass
    0-100. ValueError for anything else; between 10 and 11 nobody knows which scale is meant.
    """
    return _quality("quality", quality, OPTIONS["quality"].legal)


def _quality(name: str, value: Any, legal: str) -> float:
    found = number(name, value, legal)
    if 11 <= found <= 100:
        return found / 10
    if 1 <= found <= 10:
        return found
    msg = f"{name} must be {legal}, got {value!r}"
    raise ValueError(msg)


def _effort(name: str, value: Any, legal: str) -> int:
    found = number(name, value, legal)
    if found not in range(MAX_EFFORT + 1):
        msg = f"{name} must be {legal}, got {value!r}"
        raise ValueError(msg)
    return int(found)


def _roi(name: str, value: Any, legal: str) -> Any:
    return value if is_map(value) else boxes(name, value, legal)


def _exact(name: str, value: Any, legal: str) -> Any:
    """Return places to keep exactly; of a word that a command line repeats the last one, boxes together."""
    value = bool(value) if _is_flag(value) else value
    words = [one for one in value if isinstance(one, (bool, str))] if isinstance(value, list) else []
    if words and len(words) < len(value):
        msg = f"{name} must be {legal}, one of these alone, got {words[0]!r} beside boxes"
        raise ValueError(msg)
    if words:
        value = words[-1]
    if value is False or value == "auto" if isinstance(value, (bool, str)) else is_map(value):
        return value
    return boxes(name, value, legal, weighted=False)


def _preview(name: str, value: Any, legal: str) -> Any:
    return value if isinstance(value, str) and value == "auto" else _flag(name, value, legal)


def _flag(name: str, value: Any, legal: str) -> bool:
    if not _is_flag(value):
        msg = f"{name} must be {legal}, got {value!r}"
        raise ValueError(msg)
    return bool(value)


def _is_flag(value: object) -> bool:
    """Whether this is a bool, of Python or of numpy."""
    return type(value).__name__ in ("bool", "bool_")


def _model(name: str, value: Any, legal: str) -> str | int:
    if isinstance(value, str):
        return value
    if not hasattr(value, "__index__"):
        msg = f"{name} must be {legal}, got {shown(value)}"
        raise ValueError(msg)
    return int(number(name, value, legal))


def _same(value: Any, default: Any) -> bool:
    """Whether an option has its default; an array never does."""
    return not is_map(value) and bool(value == default)


@dataclass(frozen=True)
class EncodeOptions:
    """The options of one picture that is written. None stands for one not given; ValueError names the value and what is legal."""

    quality: float | None = _option(
        legal="1-10 (or 11-100 as percent)",
        meaning=f"How much detail is kept; fractions are allowed. Default {DEFAULT_QUALITY:g}.",
        check=_quality,
        parse=command_values.number,
        metavar="Q",
        letter="q",
        sets_quality=True,
        commands=("encode", "convert", "restore"),
    )
    target_size: float | None = _option(
        legal="a positive number of bytes",
        meaning="Choose the quality so that the file is at most this large.",
        check=positive,
        parse=command_values.byte_count,
        metavar="BYTES",
        sets_quality=True,
    )
    target_bpp: float | None = _option(
        legal="a positive number of bits per pixel",
        meaning="Choose the quality to reach this number of bits per pixel.",
        check=positive,
        parse=command_values.real,
        metavar="BPP",
        sets_quality=True,
    )
    target_psnr: float | None = _option(
        legal="a positive number of dB",
        meaning="Choose the quality to reach this PSNR of the RGB pixels.",
        check=positive,
        parse=command_values.real,
        metavar="DB",
        sets_quality=True,
    )
    roi: Any = _option(
        legal=LEGAL_ROI,
        meaning="Places that deserve more bits. A box of weight 1, the default, gets 4 points of quality more than the places "
        "outside all boxes; the mean quality stays the same.",
        in_python="A mask has the shape (height, width) and is uint8 or 0-1; white means weight 1. The rows of an array of any other type "
        "with 4 or 5 columns and a number above 1 are boxes.",
        check=_roi,
        parse=command_values.box,
        metavar="L,T,R,B[,W]",
        written="a box in pixels; repeatable",
        repeatable=True,
        takes_mask=True,
    )
    importance: Any = _option(
        legal='None, "auto", "semantic", a strength 0-1 or a map of shape (height, width)',
        meaning="auto lets a network choose the places that deserve more bits, which makes smaller files at equal MS-SSIM and "
        "loses some PSNR; a number is its strength, auto means 1. semantic finds the main objects and moves bits to them from "
        "the rest. If roi is given too, both add up.",
        in_python="A map is a mask like that of roi, or the map of another file (Image.info['importance']), which is stored unchanged.",
        check=importance,
        parse=command_values.importance,
        metavar="auto",
        written="auto, semantic or a strength 0-1",
        takes_mask=True,
    )
    lossless: bool = _option(
        False,
        legal="True or False",
        meaning="Keep every pixel exactly, alpha included; no network runs, and quality is ignored.",
        in_python="Default False.",
        check=_flag,
        parse=None,
    )
    exact: Any = _option(
        "auto",
        legal=f'"auto", False, {LEGAL_PLACES}',
        meaning="Places to keep exactly, in a lossless layer, while the rest is coded with loss. auto finds letters, lines and "
        "flat drawings (below quality 5 it reduces their colours), and nothing in photographs. Boxes grow to whole blocks "
        "of 16x16 pixels. Default auto.",
        in_python="A mask is followed pixel by pixel. Arrays are read as for roi.",
        check=_exact,
        parse=command_values.exact_places,
        metavar="auto",
        written="auto, off, or boxes in pixels (repeatable)",
        repeatable=True,
        takes_mask=True,
    )
    preview: Any = _option(
        "auto",
        legal='"auto", True or False',
        meaning="Store a small copy of the picture in the file, so that thumbnails are fast. auto does so from 8 megapixels on, "
        "where it takes about 1 % of the file. Default auto.",
        check=_preview,
        parse=command_values.preview,
        metavar="auto",
        written="auto, on or off",
    )
    effort: int | None = _option(
        legal=f"a whole number 0-{MAX_EFFORT}",
        meaning="How long the encoder works to make the file smaller; opening it takes the same time. lic2 has a fast encoder for "
        "0 and a large one for 1, its default; both refine what they have coded once and fit a filter to the picture. The default of other "
        "models is 0. Each step beyond 1 refines it once more.",
        check=_effort,
        parse=command_values.number,
        metavar="N",
    )
    model: str | int | None = _option(
        legal="the name or the number of a model",
        meaning="The model to write with. Default lic2; lic1 makes smaller files that take longer to open. "
        "lossless does the same as the option of that name.",
        check=_model,
        parse=command_values.name_or_number,
        metavar="MODEL",
    )

    def __post_init__(self) -> None:
        given = [name for name in QUALITY_OPTIONS if getattr(self, name) is not None]
        if len(given) > 1:
            msg = f"give one of {', '.join(QUALITY_OPTIONS[:-1])} and {QUALITY_OPTIONS[-1]}, got {' and '.join(given)}"
            raise ValueError(msg)
        for name, row in OPTIONS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, row.check(name, value, row.legal))
        self._check_lossless()

    def _check_lossless(self) -> None:
        """Raise ValueError for an option that has no meaning where every pixel is kept."""
        if not self.lossless:
            return
        given = [row.name for row in fields(self) if not _same(getattr(self, row.name), row.default)]
        if self.effort == 0:
            given.remove("effort")
        if self.preview is False:
            given.remove("preview")
        if foreign := [name for name in given if name not in ("lossless", "quality", "model")]:
            msg = f"{' and '.join(foreign)} must be left out with lossless=True, which keeps every pixel as it is"
            raise ValueError(msg)

    @property
    def has_target(self) -> bool:
        """Whether the quality is to be searched for rather than given."""
        return any(getattr(self, name) is not None for name in QUALITY_OPTIONS if name != "quality")

    @property
    def level(self) -> int:
        """The stored level of ``quality``, or of :data:`DEFAULT_QUALITY` when it is None."""
        return quality_to_level(DEFAULT_QUALITY if self.quality is None else self.quality)


OPTIONS: Mapping[str, Option] = MappingProxyType({row.name: row.metadata["option"] for row in fields(EncodeOptions)})
"""The table: every option of save by its name."""

QUALITY_OPTIONS = tuple(name for name, row in OPTIONS.items() if row.sets_quality)
"""The options that set the quality."""


def documented(described: Documented) -> Documented:
    """Decorate a function or a class that takes the options of save: its docstring ends with the table of them."""
    if described.__doc__ is not None:  # python -OO has none
        rows = (f"{name}: {row.legal}. {row.meaning} {row.in_python}" for name, row in OPTIONS.items())
        wrap = textwrap.TextWrapper(100, initial_indent="    ", subsequent_indent="        ")
        lines = [line for row in rows for line in wrap.wrap(row)]
        described.__doc__ = "\n".join([described.__doc__.rstrip(), "", "    Options:", "", *lines, "    "])
    return described


documented(EncodeOptions)
