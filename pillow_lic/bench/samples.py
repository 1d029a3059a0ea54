"""Samples: a picture by a codec at a quality, coded once, decoded once and compared, on a clock; and the file that keeps them."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .. import files, metrics
from ..errors import LicError, let_pass
from . import peers
from .report import METRICS, Sample

if TYPE_CHECKING:
    from .peers import Codec, Pixels

Result = TypeVar("Result")
Clock = Callable[[], float]
"""Seconds, as of `time.perf_counter`, or of a processor."""


class Picture(NamedTuple):
    """A picture to be measured: its name, and its pixels uint8 (H, W, 1 or 3)."""

    name: str
    pixels: Pixels


class Method(NamedTuple):
    """The way in which samples are measured: metrics, times that a picture is coded and decoded, the best counting, and the clock."""

    metrics: Sequence[str]
    repeats: int = 1
    clock: Clock = time.perf_counter


@dataclass(frozen=True)
class Refusal:
    """A picture that a codec does not take, by their names, and what it said."""

    codec: str
    picture: str
    reason: str


class Cache:
    """Samples by picture and settings, and files, in a JSON file, or in memory when no path is given."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._entries: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path and path.exists() else {}

    def get(self, key: str, wanted: Iterable[str]) -> Sample | None:
        """Return the sample if every wanted metric was computed for it."""
        entry = self._entries.get(key)
        if entry is None or not set(wanted) <= set(entry["computed"]):
            return None
        return Sample(**entry["sample"] | {"cached": True})

    def put(self, key: str, sample: Sample, computed: Iterable[str]) -> None:
        """Keep a sample; `save` writes it."""
        self._entries[key] = {"sample": asdict(sample), "computed": sorted(computed)}

    def file(self, key: str, make: Callable[[], bytes]) -> bytes:
        """Return the file of a key, which is made, and saved, if there is none."""
        if key not in self._entries:
            self._entries[key] = {"file": base64.b64encode(make()).decode("ascii")}
            self.save()
        return base64.b64decode(self._entries[key]["file"])

    def save(self) -> None:
        """Write the file, whole."""
        if self._path:
            files.write_atomic(self._path, json.dumps(self._entries, indent=0).encode())


def measure(codec: Codec, quality: float, picture: Picture, method: Method) -> Sample:
    """Return the sample of one picture."""
    data, seconds = _best(lambda: codec.encode(picture.pixels, quality), method)
    return _sample(codec, quality, picture, data, seconds, method)


def measure_together(codec: Codec, qualities: Sequence[float], picture: Picture, method: Method) -> Iterator[Sample]:
    """Yield the samples of one picture by a codec that makes the files of all qualities at once: each has the seconds of that.

    The highest quality comes first.
    """
    together = codec.together
    assert together is not None
    order = sorted(qualities, reverse=True)
    (files, highest), seconds = _best(lambda: _begun(together(picture.pixels, order)), method)
    for quality, data in zip(order, chain([highest], files), strict=True):
        yield _sample(codec, quality, picture, data, seconds, method)


def run(
    paths: Sequence[Path],
    codecs: Mapping[str, tuple[Codec, Sequence[float]]],
    method: Method,
    cache: Cache,
    say: Callable[[str], None],
    *,
    kept: Container[str] | None = None,
    refusals: list[Refusal] | None = None,
) -> list[Sample]:
    """Measure every codec at its qualities on every picture; each codec codes the first picture once beforehand.

    kept: names of the codecs whose samples the cache has and keeps, under their titles; by default those of the peers. refusals:
    takes what a codec refused, and there are no samples of that picture then; without it a refusal is an error.
    """
    kept = peers.NAMES if kept is None else kept
    clock = "" if method.clock is time.perf_counter else f"|{method.clock.__name__}"
    samples = []
    warm: set[str] = set()
    for number, path in enumerate(paths, 1):
        say(f"{number}/{len(paths)} {path.name}")
        picture = Picture(path.name, peers.read(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for name, (codec, qualities) in codecs.items():
            keys = {quality: f"{codec.title}|{quality:g}|{digest}{clock}" for quality in qualities}
            begun = time.perf_counter()
            try:
                found, new = _cached(
                    codec, keys, picture, method, cache if name in kept else None, is_warm=name in warm
                )
            except (ValueError, LicError) as error:
                if refusals is None:
                    raise
                let_pass(error)
                refusals.append(Refusal(name, path.name, str(error)))
                continue
            if new:
                warm.add(name)
                say(f"  {codec.label}: {new} of {len(qualities)} in {time.perf_counter() - begun:.0f} s")
            samples += found
    return samples


def _cached(
    codec: Codec, keys: Mapping[float, str], picture: Picture, method: Method, cache: Cache | None, *, is_warm: bool
) -> tuple[list[Sample], int]:
    """Return the samples of one picture at the qualities of `keys`, those that a cache has under their keys from it, and how many are new.

    What is new is put into the cache, and saved even when a codec refuses the next. is_warm: whether the codec has coded a picture.
    """
    found = {} if cache is None else {q: one for q, key in keys.items() if (one := cache.get(key, method.metrics))}
    missing = [quality for quality in keys if quality not in found]
    try:
        if missing and not is_warm:
            codec.decode(codec.encode(picture.pixels, missing[0]))
        for sample in _measured(codec, missing, picture, method):
            found[sample.quality] = sample
            if cache is not None:
                cache.put(keys[sample.quality], sample, method.metrics)
    finally:
        if missing and cache is not None:
            cache.save()
    return [found[quality] for quality in keys], len(missing)


def _measured(codec: Codec, qualities: Sequence[float], picture: Picture, method: Method) -> Iterable[Sample]:
    """Return the samples of one picture at some qualities."""
    if codec.together is not None and len(qualities) > 1:
        return measure_together(codec, qualities, picture, method)
    return (measure(codec, quality, picture, method) for quality in qualities)


def _sample(
    codec: Codec, quality: float, picture: Picture, data: bytes, encode_seconds: float, method: Method
) -> Sample:
    """Return the sample of a picture's file."""
    decoded, decode_seconds = _best(lambda: codec.decode(data), method)
    values = {name: _value(name, picture.pixels, decoded) if name in method.metrics else None for name in METRICS}
    count = picture.pixels.shape[0] * picture.pixels.shape[1]
    return Sample(
        codec.name,
        quality,
        picture.name,
        len(data),
        count,
        encode_seconds,
        decode_seconds,
        psnr=values["psnr"],
        ms_ssim=values["ms_ssim"],
        ssimulacra2=values["ssimulacra2"],
    )


def _begun(files: Iterator[bytes]) -> tuple[Iterator[bytes], bytes]:
    """Return files and the first of them, which they no longer have."""
    return files, next(files)


def _best(call: Callable[[], Result], method: Method) -> tuple[Result, float]:
    """Return the last result of the repeats, and the least seconds."""
    seconds = []
    for _ in range(method.repeats):
        start = method.clock()
        result = call()
        seconds.append(method.clock() - start)
    return result, min(seconds)


def _value(metric: str, reference: Pixels, picture: Pixels) -> float | None:
    if metric == "psnr":
        return metrics.psnr(reference, picture)
    if metric == "ssimulacra2":
        return peers.ssimulacra2(reference, picture)
    return metrics.ms_ssim(reference, picture) if min(reference.shape[:2]) > metrics.MS_SSIM_MIN_SIDE else None
