"""The manifest of networks: which models this release has, where their files are, and that they are the right ones.

A file names a model by its number and the first 4 bytes of its hash; it never carries or locates one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ..errors import LicRuntimeError, LicUnsupportedError

NETWORKS = f"{__package__.partition('.')[0]}.onnx_models"
"""A package of its own, so that it is found wherever it is installed, also when a checkout hides the installed package."""
DEFAULT = "lic1"
"""Name of the models that write when none is asked for. Others have names of their own."""


@dataclass(frozen=True, eq=False)
class Networks:
    """Files that belong together.

    number >= 1, never reused; files: role -> (path inside onnx_models, hexadecimal SHA-256); kmac_per_pixel: thousands of
    multiply-adds of a network per picture pixel, by role.
    """

    number: int
    files: Mapping[str, tuple[str, str]]
    kmac_per_pixel: Mapping[str, float]

    def place(self, role: str) -> tuple[str, str]:
        """Path inside onnx_models, and hexadecimal SHA-256, of the file with that role."""
        return self.files[role]

    def read(self, role: str) -> bytes:
        """Bytes of the file with that role. LicRuntimeError if they are not the ones the manifest was written for."""
        path, expected = self.place(role)
        try:
            data = resources.files(NETWORKS).joinpath(*path.split("/")).read_bytes()
        except OSError as error:
            msg = f"network file {path} is missing from this installation of pillow-lic: {error.strerror}"
            raise LicRuntimeError(msg) from error
        if hashlib.sha256(data).hexdigest() != expected:
            msg = f"network file {path} was altered: its SHA-256 is not the manifest's; reinstall pillow-lic"
            raise LicRuntimeError(msg)
        return data


@dataclass(frozen=True, eq=False)
class ModelSpec(Networks):
    """One model of the manifest.

    digest: 32 bytes, SHA-256 over the SHA-256 of its files in manifest order; latents and hyper_latents: channels of y and
    z; extras: like files, but no part of the hash, because no file's meaning depends on them.
    """

    name: str
    procedure: str
    digest: bytes
    latents: int
    hyper_latents: int
    extras: Mapping[str, tuple[str, str]]

    @property
    def hash(self) -> bytes:
        """The 4 bytes that a file's header carries."""
        return self.digest[:4]

    def place(self, role: str) -> tuple[str, str]:
        """The same among the extras too."""
        return self.extras[role] if role in self.extras else super().place(role)

    @property
    def draft_scales(self) -> tuple[int, ...]:
        """Pixels each way that one of a draft stands for, largest first; empty when the model makes no drafts."""
        return tuple(s for s in (8, 4, 2) if f"draft_{s}" in self.extras)


def _spec(entry: Mapping[str, Any]) -> ModelSpec:
    files, extras = (
        {role: (f["file"], f["sha256"]) for role, f in entry.get(kind, {}).items()} for kind in ("files", "extras")
    )
    return ModelSpec(
        entry["id"],
        files,
        {role: f["kmac_per_pixel"] for role, f in entry["files"].items() if "kmac_per_pixel" in f},
        entry["name"],
        entry["procedure"],
        bytes.fromhex(entry["sha256"]),
        entry["latents"],
        entry["hyper_latents"],
        extras,
    )


def _json(name: str) -> Any:
    return json.loads(resources.files(NETWORKS).joinpath(name).read_text("utf-8"))


@cache
def models() -> tuple[ModelSpec, ...]:
    """Every model of this release, oldest first."""
    return tuple(_spec(entry) for entry in _json("manifest.json")["models"])


@cache
def importance() -> Networks:
    """The network behind importance="auto": one file, of role "importance". No file names it: they carry its map."""
    entry = _json("importance.json")
    files = {"importance": (entry["file"], entry["sha256"])}
    return Networks(entry["id"], files, {"importance": entry["kmac_per_pixel"]})


def choose(model: str | int | None) -> ModelSpec:
    """The model to write with: by number, by name (the newest of that name; None is DEFAULT); else ValueError."""
    wanted = DEFAULT if model is None else model
    for spec in reversed(models()):
        if wanted in (spec.number, spec.name):
            return spec
    known = ", ".join(f"{spec.name} ({spec.number})" for spec in models())
    msg = f"model must be the name or number of one of {known}, got {model!r}"
    raise ValueError(msg)


def named(number: int, hash4: bytes) -> ModelSpec:
    """The model a file names. LicUnsupportedError when this release does not have it, or has another under its number."""
    for spec in models():
        if spec.number == number:
            if spec.hash != hash4:
                msg = f"file was written with another model {number} (hash {hash4.hex()}, here {spec.hash.hex()})"
                raise LicUnsupportedError(msg)
            return spec
    known = ", ".join(str(spec.number) for spec in models())
    msg = f"file needs model {number}, this release has {known}: a newer pillow-lic may have it"
    raise LicUnsupportedError(msg)
