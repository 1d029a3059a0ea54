"""Many picture files of any format to another, which is `lic convert`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from .. import arguments, saving
from ..engine.settings import current_settings, given_settings, thread_count
from ..fileformat.identity import EXTENSION
from ..files import StrPath
from ..options import OPTIONS, QUALITY_OPTIONS, EncodeOptions, normalise_quality
from ..restoring import check_views
from . import equal_slope, formats, jobs, locations, plan, results
from .adjustment import Adjustment, Color, Size
from .budget import within_budget
from .locations import Place
from .plan import Pair
from .transcode import PLACES, Transcoder

_BY_PERCENT = frozenset({"JPEG", "MPO", "WEBP", "AVIF", "HEIF", "JXL"})
"""Formats of which `quality` is a number up to 100."""
PNG = ".png"
"""The extension of what is restored, where nothing names another."""


class PictureWarning(UserWarning):
    """The warnings of pictures while they were converted, with their names."""


def convert(
    sources: StrPath | bytes | Iterable[StrPath | bytes],
    destination: StrPath | bytes,
    *,
    to: str | None = None,
    workers: int = 1,
    force: bool = False,
    keep_metadata: bool = True,
    first_frame: bool = False,
    auto_orient: bool = False,
    resize: int | Size | None = None,
    background: str | Color | None = None,
    threads: int | None = None,
    progress: results.Progress | None = None,
    executor: Executor | None = None,
    budget: float | None = None,
    measure: bool = False,
    dry_run: bool = False,
    restore: bool | int = False,
    **save_options: Any,
) -> results.Summary:
    """Convert picture files, folders of them and glob patterns; return a summary with the result of each file.

    Names may be URLs that fsspec supports, such as "s3://bucket/photos". A file that fails is reported in the summary and does not
    stop the others. A target that was made from its source as the source is now is skipped, unless `force`. A target that may be
    an original (`plan.plan` says which) is not replaced either, and counts as a failure. The summary also lists what folders
    contain besides pictures.

    What is made:

    to: the format ("lic", "png", ...); None: that of a single destination file, else LIC, or PNG with `restore`.
    first_frame: take the first of several frames or pages; without it such a file is a failure.
    auto_orient: rotate the pixels as EXIF says; keep_metadata=False leaves EXIF and XMP out, and rotates the pixels too.
    resize: shrink to this number of pixels on the longer side, or to (width, height), one of which may be None; never enlarges.
    background: a colour ("white", "#fff", (255, 255, 255)) to put transparent pictures on.
    restore: remove the artefacts of JPEG files (`pillow_lic.restore`); a number is its `views`.
    save_options: those of `Image.save`, but `quality` has the scale of .lic files (see `save`) for all formats: JPEG, WebP, AVIF,
    HEIF and JPEG XL get ten times the number, others refuse it. JPEG also takes `roi` and `importance`; its files get no larger.
    budget: instead of a quality or a target, the most bytes of all .lic files together, existing ones included. Every picture is
    measured before any is written, so that `progress` is called twice for each.

    How the work is done:

    workers: processes, at least 1, which share the threads. Plugins and limits set in Pillow and all `settings` hold for them
    too. A script that asks for several must guard its main part with `if __name__ == "__main__":`. RuntimeError if none can be
    started, and inside a worker of multiprocessing.
    executor: used instead of own processes (`batch.cluster.connect` returns that of a Dask cluster). Its workers must see the same
    paths; each uses one thread unless `threads` says otherwise.
    measure: compute the PSNR of every file, in dB, as `Result.value.psnr`; each file is decoded for it.
    dry_run: write nothing; files that would be made are "planned".
    progress: called after every file, see `results.Progress`.

    Wrong and unknown options raise ValueError or TypeError before any file is read; a budget that is too small raises ValueError before any
    is written. Warnings about a picture are in its result, and are issued at the end as a `PictureWarning`.
    """
    if threads is not None:  # or every file would fail on a wrong number
        thread_count("threads", threads)
    current_settings()  # or on one of the environment
    jobs.check_workers(workers)
    jobs.check_helpers(progress, executor)
    if restore:
        check_views(restore)
    destination = _named(destination)
    place = _writable(destination)
    adjustment = Adjustment.of(first_frame=first_frame, auto_orient=auto_orient, resize=resize, background=background)
    suffix = _suffix(to, place, PNG if restore else EXTENSION)
    _check_words(suffix, save_options)
    words = checked_options(suffix, save_options, budget)
    todo, passed_over = _planned(sources, destination, suffix, bool(restore))
    work = Transcoder(
        suffix,
        words,
        keep_metadata,
        adjustment,
        measure,
        given_settings() | {"threads": _threads_of_a_worker(threads, workers, executor)},
        formats.Registered.here() if workers > 1 or executor is not None else None,
        int(restore),
    )
    how: dict[str, Any] = {"workers": workers, "force": force, "progress": progress, "executor": executor}
    if not dry_run:
        locations.sweep(pair.target for pair in todo)
    if dry_run:
        summary = jobs.preview(todo, force=force)
    elif budget is not None:
        summary = within_budget(budget, todo, work, **how)
    else:
        summary = jobs.run(todo, work, **how)
    summary.passed_over = passed_over
    _warn(summary)
    return summary


def _named(name: StrPath | bytes) -> StrPath:
    """Return a name of bytes as text, any other as it is; TypeError for what is none."""
    return os.fsdecode(name) if isinstance(os.fspath(name), bytes) else name  # type: ignore[return-value]  # it is not bytes


def _writable(destination: StrPath) -> Place:
    """Return where to write; ValueError for a store that is only read."""
    place = locations.place(destination)
    if getattr(place, "read_only", False):
        msg = f"destination must be a place that can be written, got {place}"
        raise ValueError(msg)
    return place


def _planned(
    sources: StrPath | bytes | Iterable[StrPath | bytes], destination: StrPath, suffix: str, restore: bool
) -> tuple[list[Pair], list[results.PassedOver]]:
    """Return the pairs to convert, and what directories hold beside pictures (beside JPEG files where these are restored)."""
    if isinstance(sources, (str, bytes)) or not isinstance(sources, Iterable):
        sources = [sources]
    passed_over: list[results.PassedOver] = []
    todo = plan.plan(
        map(_named, sources),
        destination,
        suffix,
        readable=formats.is_jpeg if restore else formats.is_picture,
        passed_over=lambda place, reason: passed_over.append(results.PassedOver(place, reason)),
    )
    return todo, passed_over


def _threads_of_a_worker(threads: int | None, workers: int, executor: Executor | None) -> int | None:
    """Return the threads of each worker; None for those of the settings."""
    if threads is None and executor is not None:
        return 1
    if threads is None and workers > 1:
        return max(1, current_settings().threads // workers)
    return threads


def _warn(summary: results.Summary) -> None:
    """Say what was warned of, with the names of the pictures: once for each kind of warning."""
    names: dict[str, list[str]] = {}
    for result in summary.results:
        for text in result.warnings:
            names.setdefault(text, []).append(str(result.pair.source))
    for text, pictures in names.items():
        shown = ", ".join(pictures[:3]) + (f" and {len(pictures) - 3} more" if len(pictures) > 3 else "")
        warnings.warn(f"{shown}: {text}", PictureWarning, stacklevel=3)


def _suffix(to: str | None, destination: Place, default: str) -> str:
    """Return the extension to write, checked: that of a destination file when `to` is another of its format's."""
    own = destination.suffix.lower()
    extensions = formats.extensions()
    file = own in extensions and not destination.is_dir()
    if to is None:
        to = own if file else default
    if not isinstance(to, str) or not to.strip("."):
        msg = f'to must be the name of a format such as "png", or None, got {to!r}'
        raise ValueError(msg)
    suffix = to.lower() if to.startswith(".") else f".{to.lower()}"
    written = formats.format_of(suffix)
    return own if file and extensions[own] == written else suffix


def _check_words(suffix: str, save_options: Mapping[str, Any]) -> None:
    """Raise TypeError for a keyword that neither `convert` nor `save` has, before anything is done in spite of it (`dryrun=True`).

    The options of other formats are known to Pillow alone: there it is raised for a keyword of `convert` that is written differently.
    """
    own = [*(convert.__kwdefaults__ or ()), *saving.SAVE_WORDS]
    plain = {_plain(name) for name in own}
    for name in save_options:
        if name not in own and (suffix == EXTENSION and name not in saving.IGNORED or _plain(name) in plain):
            meant = arguments.close_match(name, own)
            msg = f"convert() has no option {name!r}" + (f" (did you mean {meant!r}?)" if meant else "")
            raise TypeError(msg)


def _plain(name: str) -> str:
    return name.lower().replace("_", "").rstrip("s")


def checked_options(suffix: str, save_options: Mapping[str, Any], budget: float | None = None) -> Mapping[str, Any]:
    """Return the options as the format takes them; ValueError naming one that is not legal, or not known to it."""
    given = [name for name, value in save_options.items() if value is not None]
    if suffix == EXTENSION:
        saving.encode_options(save_options)
        if budget is not None:
            equal_slope.check_budget(budget)
            if asked := [name for name in QUALITY_OPTIONS if name in given]:
                msg = f"give one of {', '.join(QUALITY_OPTIONS)} and budget, got budget and {' and '.join(asked)}"
                raise ValueError(msg)
        return save_options
    written = formats.format_of(suffix)
    known = ["quality"] * (written in _BY_PERCENT) + [*PLACES] * (written == "JPEG")
    foreign = [name for name in OPTIONS if name in given and name not in known]
    foreign += ["budget"] * (budget is not None)
    if foreign:
        knowing = ".lic and .jpg files know" if set(foreign) <= set(PLACES) else ".lic files know"
        reason = "they have none" if foreign == ["quality"] else f"only {knowing} of it"
        msg = f"{' and '.join(foreign)} must be left out for {suffix} files: {reason}"
        raise ValueError(msg)
    places = EncodeOptions(**{name: save_options[name] for name in PLACES if name in given})
    words = {name: value for name, value in save_options.items() if name != "quality"}
    words |= {name: getattr(places, name) for name in PLACES if name in given}
    if "quality" in given:
        words["quality"] = round(10 * normalise_quality(save_options["quality"]))
    return words
