"""Many picture files of any format to another, which is `lic convert`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from typing import Any

from .. import plugin
from ..engine.settings import current_settings, given_settings, thread_count
from ..files import StrPath
from ..naming import EXTENSION
from ..options import AIMS, OPTIONS
from . import equal_slope, jobs, locations, plan
from .budget import within_budget
from .locations import Place
from .transcode import Transcoder, extensions, format_of, is_picture


def convert(
    sources: StrPath | Iterable[StrPath],
    destination: StrPath,
    *,
    to: str | None = None,
    workers: int = 1,
    force: bool = False,
    keep_metadata: bool = True,
    threads: int | None = None,
    progress: jobs.Progress | None = None,
    executor: Executor | None = None,
    budget: float | None = None,
    **save_options: Any,
) -> jobs.Summary:
    """Convert picture files, directories of them and glob patterns; return what became of each.

    Names may be URLs of what fsspec reaches, such as "s3://bucket/photos". `to` names the format ("lic", "png", ...); None
    takes it from the name of a single destination file, else LIC. A failure is in the summary and stops nothing. Files that
    are there and not older than their source are left, unless `force`; older ones that may be originals (`pairs.plan` says
    which) too, and are failures.

    Each of several `workers` is a process and has its share of the threads. A script that asks for several must guard its
    own start with `if __name__ == "__main__":`, as always with processes. An `executor` replaces them (`fleet.connect` gives
    that of a Dask cluster); each of its workers must see the same paths, and has one thread unless `threads` says otherwise. All
    other `settings` hold for them too.

    `save_options` are those of `Image.save`. `budget` takes the place of quality and targets: the bytes that all .lic files
    together may have, those that are there already included. Every picture is then measured before any is written, and
    `progress` hears of it twice: six encodes and five decodes.

    Wrong options are a ValueError or TypeError before any file is read, a budget out of reach a ValueError before any is
    written.
    """
    if threads is not None:  # or every file would fail on a wrong number
        thread_count("threads", threads)
    jobs.check_workers(workers)
    end = locations.place(destination)
    if getattr(end, "read_only", False):
        msg = f"destination must be a place that can be written, got {end}"
        raise ValueError(msg)
    suffix = _suffix(to, end)
    _check_options(suffix, save_options, budget)
    if isinstance(sources, str) or not isinstance(sources, Iterable):
        sources = [sources]
    if threads is None and executor is not None:
        threads = 1
    elif threads is None and workers > 1:
        threads = max(1, current_settings().threads // workers)
    todo = plan.plan(sources, destination, suffix, readable=is_picture)
    work = Transcoder(suffix, save_options, keep_metadata, given_settings() | {"threads": threads})
    if budget is not None:
        return within_budget(budget, todo, work, workers=workers, force=force, progress=progress, executor=executor)
    return jobs.run(todo, work, workers=workers, force=force, progress=progress, executor=executor)


def _suffix(to: str | None, destination: Place) -> str:
    """Return the extension to write, checked: that of a destination file when `to` is another of its format's."""
    own = destination.suffix.lower()
    file = own in extensions() and not destination.is_dir()
    if to is None:
        to = own if file else EXTENSION
    suffix = to.lower() if to.startswith(".") else f".{to.lower()}"
    written = format_of(suffix)
    return own if file and extensions()[own] == written else suffix


def _check_options(suffix: str, save_options: Mapping[str, Any], budget: float | None) -> None:
    given = [name for name, value in save_options.items() if value is not None]
    if suffix != EXTENSION:
        foreign = [name for name in OPTIONS if name in given and name != "quality"]
        foreign += ["budget"] * (budget is not None)
        if foreign:
            msg = f"{' and '.join(foreign)} must be left out for {suffix} files: only .lic files know of it"
            raise ValueError(msg)
        return
    plugin.encode_options(save_options)
    if budget is not None:
        equal_slope.check_budget(budget)
        if aims := [name for name in AIMS if name in given]:
            msg = f"give one of {', '.join(AIMS)} and budget, got budget and {' and '.join(aims)}"
            raise ValueError(msg)
