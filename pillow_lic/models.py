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

from .errors import LicRuntimeError, LicUnsupportedError

NETWORKS = f"{__package__}.onnx_models"
"""A package of its own, so that it is found wherever it is installed, also when a checkout hides the installed package."""


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """One model of the manifest.

    number >= 1, never reused; digest: 32 bytes, SHA-256 over the SHA-256 of its files in manifest order; latents and
    hyper_latents: channels of y and z; scales: tables of y, before those of z; files: role -> (path inside onnx_models,
    hexadecimal SHA-256); kmac_per_pixel: thousands of multiply-adds of a network per picture pixel, by role.
    """

    number: int
    name: str
    procedure: str
    digest: bytes
    latents: int
    hyper_latents: int
    scales: int
    files: Mapping[str, tuple[str, str]]
    kmac_per_pixel: Mapping[str, float]

    @property
    def hash(self) -> bytes:
        """The 4 bytes that a file's header carries."""
        return self.digest[:4]

    def read(self, role: str) -> bytes:
        """Bytes of the file with that role. LicRuntimeError if they are not the ones the manifest was written for."""
        path, expected = self.files[role]
        try:
            data = resources.files(NETWORKS).joinpath(*path.split("/")).read_bytes()
        except OSError as error:
            msg = f"network file {path} is missing from this installation of pillow-lic: {error.strerror}"
            raise LicRuntimeError(msg) from error
        if hashlib.sha256(data).hexdigest() != expected:
            msg = f"network file {path} was altered: its SHA-256 is not the manifest's; reinstall pillow-lic"
            raise LicRuntimeError(msg)
        return data


def _spec(entry: Mapping[str, Any]) -> ModelSpec:
    files = {role: (f["file"], f["sha256"]) for role, f in entry["files"].items()}
    return ModelSpec(
        entry["id"],
        entry["name"],
        entry["procedure"],
        bytes.fromhex(entry["sha256"]),
        entry["latents"],
        entry["hyper_latents"],
        entry["scales"],
        files,
        {role: f["kmac_per_pixel"] for role, f in entry["files"].items() if "kmac_per_pixel" in f},
    )


@cache
def models() -> tuple[ModelSpec, ...]:
    """Every model of this release, oldest first."""
    text = resources.files(NETWORKS).joinpath("manifest.json").read_text("utf-8")
    return tuple(_spec(entry) for entry in json.loads(text)["models"])


def choose(model: str | int | None) -> ModelSpec:
    """The model to write with: by number, by name (the newest of that name), or the newest for None; else ValueError."""
    for spec in reversed(models()):
        if model in (None, spec.number, spec.name):
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
