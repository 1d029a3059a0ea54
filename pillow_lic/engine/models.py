"""The models of this release: which one writes, which one a file names, their networks run and their tables read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import LicUnsupportedError
from ..fileformat.limits import MAX_LEVEL
from . import entropy, manifest, runtime
from .manifest import Entry, Networks, Stored

if TYPE_CHECKING:
    from .bits import Starts

Array = npt.NDArray[Any]

DEFAULT = "lic2"
"""Name of the models that write when none is asked for."""


@dataclass(frozen=True, eq=False)
class Model(Entry):
    """A model as its family uses it."""

    def run(self, role: str, **feeds: Array) -> list[Array]:
        """Run the network with that role and return its outputs in graph order; LicRuntimeError as `runtime.run`."""
        return runtime.run(self, role, feeds)

    def numbers(self, role: str) -> npt.NDArray[np.uint8] | None:
        """Return the bytes of the file of numbers that native layers take, beside the networks; None where the model has none."""
        return np.frombuffer(self.stored(role).read(), np.uint8) if role in self.extras else None

    @cached_property
    def tables(self) -> entropy.Tables:
        """The stored tables of the range coder."""
        return entropy.stored_tables(self.stored("tables").read())

    @cached_property
    def starts(self) -> Starts:
        """The stored start values of the coder of bits."""
        from . import bits  # the families that write when none is asked for do without

        return bits.stored_starts(self.stored("starts").read())

    def nearest_level(self, level: int) -> int:
        """Return the level nearest to `level` among those that it can write; of two as near the lower."""
        return min(self.levels, key=lambda own: abs(own - level)) if level not in self.levels else level


def _stored(entry: Mapping[str, Any], kind: str) -> dict[str, Stored]:
    return {role: Stored.of(file) for role, file in entry.get(kind, {}).items()}


def _model(entry: Mapping[str, Any]) -> Model:
    return Model(
        number=entry["id"],
        files=_stored(entry, "files"),
        name=entry["name"],
        procedure=entry["procedure"],
        digest=bytes.fromhex(entry["sha256"]),
        constants=entry.get("constants", {}),
        levels=entry["levels"] or range(MAX_LEVEL + 1),
        extras=_stored(entry, "extras"),
        effort=entry.get("effort", 0),
        bpp=entry.get("bpp", manifest.PHOTO_BPP),
        slopes=entry.get("slopes", manifest.SLOPES),
        superseded_by=entry.get("superseded_by"),
    )


@cache
def models() -> tuple[Model, ...]:
    """Return every model of this release, oldest first."""
    return tuple(_model(entry) for entry in manifest.read("manifest.json")["models"])


@cache
def importance() -> Networks:
    """Return the network behind importance="auto": one file, of role "importance". No file names it: they carry its map."""
    entry = manifest.read("importance.json")
    return Networks(entry["id"], {"importance": Stored.of(entry)})


@cache
def semantic() -> Networks:
    """Return the network behind importance="semantic": one file, of role "semantic". No file names it: they carry its map."""
    entry = manifest.read("semantic.json")
    return Networks(entry["id"], {"semantic": Stored.of(entry)})


def choose(model: str | int | None) -> Model:
    """Return the model to write with: by number, by name (the newest of that name; None is DEFAULT); else ValueError.

    ValueError for a superseded number too, which says what writes instead.
    """
    wanted = DEFAULT if model is None else model
    for found in reversed(models()):
        if wanted in (found.number, found.name):
            if found.superseded_by is not None:
                msg = (
                    f"model {found.number} ({found.name}) is only kept to open its files: write with number "
                    f"{found.superseded_by}, which is model={found.name!r}"
                )
                raise ValueError(msg)
            return found
    known = ", ".join(f"{found.name} ({found.number})" for found in models() if found.superseded_by is None)
    msg = f"model must be the name or number of one of {known}, got {model!r}"
    raise ValueError(msg)


def named(number: int, hash4: bytes) -> Model:
    """Return the model a file names. LicUnsupportedError when this release does not have it, or another under its number."""
    for found in models():
        if found.number == number:
            if found.hash != hash4:
                msg = f"file was written with another model {number} (hash {hash4.hex()}, here {found.hash.hex()})"
                raise LicUnsupportedError(msg)
            return found
    known = ", ".join(str(found.number) for found in models())
    msg = f"file needs model {number}, this release has {known}: a newer pillow-lic may have it"
    raise LicUnsupportedError(msg)
