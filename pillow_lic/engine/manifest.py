"""The manifest: which models this release has, where their files are, and that they are the right ones.

A file names a model by its number and the first 4 bytes of its hash; it never carries or locates one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ..errors import LicRuntimeError, let_pass
from ..fileformat.limits import MAX_LEVEL

NETWORKS = f"{__package__.partition('.')[0]}.onnx_models"
"""The package of the models: one of its own, found wherever it is installed, even when a checkout hides the installed package."""
PHOTO_BPP = (0.1, 2.0)
"""`Entry.bpp` of a model whose entry does not say."""
SLOPES = (0.0016, 0.25)
"""`Entry.slopes` of a model whose entry does not say."""


@dataclass(frozen=True)
class Stored:
    """A file of the manifest: `path` inside onnx_models, and its hexadecimal SHA-256.

    path: "" for a file that is not kept, since encoders alone ran it, and its model is superseded or has an extra of the same role that
    they run instead; the model's hash still counts it.
    side: who runs it. exact: its arithmetic is proved to give the same integers on every machine, if it runs on the CPU
    provider. kmac_per_pixel: thousands of multiply-adds per picture pixel, None for what is no network.
    """

    path: str
    sha256: str
    side: Literal["encoder", "decoder", "both"] = "both"
    exact: bool = False
    kmac_per_pixel: float | None = None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Stored:
        """Return the file that a JSON entry describes."""
        rest = {name: entry[name] for name in ("side", "exact", "kmac_per_pixel") if name in entry}
        return cls(entry.get("file", ""), entry["sha256"], **rest)

    def read(self) -> bytes:
        """Return the bytes of the file. LicRuntimeError if they are not the ones the manifest was written for."""
        try:
            data = _file(self.path)
        except OSError as error:
            let_pass(error)
            msg = f"network file {self.path} is missing from this installation of pillow-lic: {error.strerror}"
            raise LicRuntimeError(msg) from error
        if hashlib.sha256(data).hexdigest() != self.sha256:
            msg = f"network file {self.path} was altered: its SHA-256 is not the manifest's; reinstall pillow-lic"
            raise LicRuntimeError(msg)
        return data


@dataclass(frozen=True, eq=False)
class Networks:
    """Files that belong together: number >= 1, never reused; files by role."""

    number: int
    files: Mapping[str, Stored]

    def stored(self, role: str) -> Stored:
        """Return the file with that role."""
        return self.files[role]


@dataclass(frozen=True, eq=False)
class Entry(Networks):
    """One model of the manifest.

    procedure: the family that codes with it. digest: 32 bytes, SHA-256 over the SHA-256 of its files in manifest order.
    constants: whole numbers, and lists of them, that its family needs beside the networks. levels: those that it can write,
    ascending. extras: like files, but no part of the hash: no file's meaning depends on them, or its checks have them; of a role that
    files have too, the extra is run. effort: that
    of a picture for which none is asked. bpp: bits per pixel of a photo at the lowest and the highest level (Kodak's mean), by which an
    encoder expects a size. slopes: the bits that a squared level of error of a pixel, the mean of its channels, was worth when
    the lowest and the highest level were trained; an encoder weighs by them what else it may write. superseded_by: the number that
    writes instead; a model that has one opens its files for ever and writes none. None for all others.
    """

    name: str
    procedure: str
    digest: bytes
    constants: Mapping[str, Any]
    levels: Sequence[int]
    extras: Mapping[str, Stored]
    effort: int = 0
    bpp: Sequence[float] = PHOTO_BPP
    slopes: Sequence[float] = SLOPES
    superseded_by: int | None = None

    def slope(self, level: int) -> float:
        """Return the bits that a squared level of error is worth at a level; between the ends of the scale in equal ratios."""
        lowest, highest = self.slopes
        return float(lowest * math.pow(highest / lowest, level / MAX_LEVEL))

    @property
    def hash(self) -> bytes:
        """The 4 bytes that a file's header carries."""
        return self.digest[:4]

    def kmac_per_pixel(self, side: Literal["encoder", "decoder"]) -> float:
        """Return the thousands of multiply-adds per picture pixel of all networks that one side runs, without the extras."""
        return sum(file.kmac_per_pixel or 0 for file in self.files.values() if file.side in (side, "both"))

    def stored(self, role: str) -> Stored:
        """Return the file with that role, an extra before others."""
        return self.extras[role] if role in self.extras else super().stored(role)


@cache
def read(name: str) -> Any:
    """Return a JSON file beside the networks."""
    return json.loads(_file(name))


def text(name: str) -> str:
    """Return a text beside the networks, such as a model's card."""
    return _file(name).decode()


def _file(path: str) -> bytes:
    """Return the bytes of a file of the package of networks; OSError where there is none.

    By `pkgutil`, because `importlib.resources` takes 10 ms to import.
    """
    data = pkgutil.get_data(NETWORKS, path)
    if data is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    return data
