"""Graphs and tables of a trained model -> its files and its entry in the manifest, for the exporter of every family.

An exporter says what its model is (`Release`), writes its files (`networks`, `tables`), can run them at once (`model`), and
enters them into the manifest (`enter`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx

from pillow_lic.engine.manifest import PHOTO_BPP, SLOPES, Stored
from pillow_lic.engine.models import Model
from pillow_lic.fileformat.limits import MAX_LEVEL

from .complexity import kmac_per_pixel
from .tables import Table, pack

Side = Literal["encoder", "decoder", "both"]
ONNX_MODELS = Path(__file__).resolve().parents[2]
"""The folder of the models that the package ships."""


@dataclass(frozen=True)
class Network:
    """A graph, who runs it, and whether its arithmetic is proved to give the same integers on every machine."""

    graph: onnx.ModelProto
    side: Side = "both"
    exact: bool = False


@dataclass(frozen=True)
class Placed(Stored):
    """A file of a model in `folder`, which need not be the package's."""

    folder: Path = ONNX_MODELS

    def read(self) -> bytes:
        return (self.folder / self.path).read_bytes()

    @property
    def entry(self) -> dict[str, Any]:
        """The file as the manifest describes it."""
        kmac = {} if self.kmac_per_pixel is None else {"kmac_per_pixel": self.kmac_per_pixel}
        return {"file": self.path, "sha256": self.sha256} | kmac | {"side": self.side, "exact": self.exact}


def tables_file(tables: Iterable[Table]) -> bytes:
    """Return the bytes of stored tables (FORMAT.md, 7.1)."""
    low, sizes, frequencies = pack(tables)
    heads = np.rec.fromarrays([low, sizes], dtype=np.dtype([("low", "<i2"), ("size", "<u2")]))
    return len(low).to_bytes(2, "little") + heads.tobytes() + frequencies.astype("<u2").tobytes()


@dataclass(frozen=True)
class Release:
    """A model of the folder `out`: its files go to NAME-NUMBER there, its entry to manifest.json.

    procedure, constants, levels, effort, bpp and slopes are those of `manifest.Entry`; levels None: all of 0..1024.
    """

    out: Path
    number: int
    name: str
    procedure: str
    constants: Mapping[str, Any]
    levels: list[int] | None = None
    effort: int = 0
    bpp: Sequence[float] = PHOTO_BPP
    slopes: Sequence[float] = SLOPES

    def _placed(self, file: str, content: bytes, **rest: Any) -> Placed:
        path = f"{self.name}-{self.number}/{file}"
        (self.out / path).parent.mkdir(parents=True, exist_ok=True)
        (self.out / path).write_bytes(content)
        return Placed(path, hashlib.sha256(content).hexdigest(), **rest, folder=self.out)

    def networks(self, made: Mapping[str, Network]) -> dict[str, Placed]:
        """Write graphs, by role, and return their files."""
        return {
            role: self._placed(
                f"{role}.onnx",
                network.graph.SerializeToString(deterministic=True),
                side=network.side,
                exact=network.exact,
                kmac_per_pixel=round(kmac_per_pixel(network.graph), 3),
            )
            for role, network in made.items()
        }

    def stored(self, file: str, content: bytes) -> Placed:
        """Write a file that is no graph and return it."""
        return self._placed(file, content)

    def tables(self, tables: Iterable[Table]) -> Placed:
        """Write the tables of the range coder and return their file."""
        return self._placed("tables.bin", tables_file(tables))

    def data(self, file: str, content: bytes) -> Placed:
        """Write other bytes that the model needs and return their file."""
        return self._placed(file, content)

    def numbers(self, role: str, content: bytes, side: Side = "decoder") -> Placed:
        """Write the numbers that native code of that side takes and return their file."""
        return self._placed(f"{role}.bin", content, side=side)

    def shared(self, number: int, roles: Iterable[str]) -> dict[str, Placed]:
        """Return files of another model of the manifest that this one names too: they are stored once. ValueError if it is not there."""
        entries = {model["id"]: model for model in json.loads((self.out / "manifest.json").read_text())["models"]}
        if number not in entries:
            raise ValueError(f"model must be one of {', '.join(map(str, entries))}, got {number}")
        found = entries[number]["files"]
        return {role: replace(Placed.of(found[role]), folder=self.out) for role in roles}

    def model(self, files: Mapping[str, Placed]) -> Model:
        """Return the model of these files, by role in manifest order, as the runtime has it."""
        digest = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in files.values())).digest()
        levels = range(MAX_LEVEL + 1) if self.levels is None else self.levels
        own = (self.constants, levels, {}, self.effort, self.bpp, self.slopes)
        return Model(self.number, files, self.name, self.procedure, digest, *own)

    def enter(self, files: Mapping[str, Placed]) -> None:
        """Write the model's entry into the manifest; one of the same number is replaced, and older ones of its name are superseded."""
        encoding: dict[str, Any] = {"effort": self.effort} if self.effort else {}
        encoding |= {"bpp": list(self.bpp)} if self.bpp != PHOTO_BPP else {}
        encoding |= {"slopes": list(self.slopes)} if self.slopes != SLOPES else {}
        entry = {
            "id": self.number,
            "name": self.name,
            "procedure": self.procedure,
            "sha256": self.model(files).digest.hex(),
            "constants": dict(self.constants),
            "levels": self.levels,
            **encoding,
            "files": {role: file.entry for role, file in files.items()},
        }
        path = self.out / "manifest.json"
        models = json.loads(path.read_text())["models"] if path.exists() else []
        models = [model for model in models if model["id"] != self.number] + [entry]
        for dropped in supersede(models, self.name, self.number):
            (self.out / dropped).unlink(missing_ok=True)
        _write(path, sorted(models, key=lambda model: model["id"]))


def supersede(entries: list[dict[str, Any]], name: str, number: int) -> list[str]:
    """Let a number write instead of all older ones of its name, and return the files that only their encoders need.

    Entries of the manifest: those of the older ones say who replaces them, and name these files no more.
    """
    dropped = []
    for entry in entries:
        if entry["name"] == name and entry["id"] < number:
            entry["superseded_by"] = number
            extras = entry.get("extras", {})
            dropped += [extras.pop(role)["file"] for role in [*extras] if extras[role]["side"] == "encoder"]
    needed = {
        file.get("file")
        for entry in entries
        for file in entry["files"].values()
        if file["side"] != "encoder" or "superseded_by" not in entry
    }
    old = (file for entry in entries if "superseded_by" in entry for file in entry["files"].values())
    return dropped + [file.pop("file") for file in old if "file" in file and file["file"] not in needed]


def add_export(commands: Any, export: Callable[[argparse.Namespace], None], *, counts: bool = True) -> None:
    """Add the command `export WEIGHTS PATCHES --id N` of a recipe to its commands; without PATCHES unless it counts symbols of them."""
    parser = commands.add_parser("export", help="write the model's files and its entry in the manifest")
    parser.add_argument("weights", type=Path)
    if counts:
        parser.add_argument("patches", type=Path)
        parser.add_argument(
            "--samples", type=int, default=600, help="training patches whose symbols are counted for the tables"
        )
    add_destination(parser)
    parser.set_defaults(command=export)


def add_destination(parser: argparse.ArgumentParser) -> None:
    """Add the number of the model that is written, and the folder."""
    parser.add_argument("--id", type=int, required=True, help="never reuse the id of a released model")
    parser.add_argument("--out", type=Path, default=ONNX_MODELS)


def rewrite(words: str | None, role: str, made: Callable[[int], bytes]) -> None:
    """Be the command that writes the file of numbers of a role anew, made by the number of its model; words: of its help."""
    p = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_destination(p)
    a = p.parse_args()
    add_extras(a.out, a.id, {role: made(a.id)})


def add_extras(out: Path, number: int, made: Mapping[str, Network | bytes], side: Side = "decoder") -> None:
    """Write files that are no part of the hash beside a model of the manifest: graphs, or numbers that native code of that side takes.

    ValueError if the model is not there.
    """
    path = out / "manifest.json"
    models = json.loads(path.read_text())["models"]
    entries = {model["id"]: model for model in models}
    if number not in entries:
        raise ValueError(f"--id must be one of {', '.join(map(str, entries))}, got {number}")
    entry = entries[number]
    release = Release(out, number, entry["name"], entry["procedure"], entry["constants"])
    files = release.networks({role: made for role, made in made.items() if isinstance(made, Network)})
    files |= {role: release.numbers(role, made, side) for role, made in made.items() if isinstance(made, bytes)}
    entry.setdefault("extras", {}).update({role: file.entry for role, file in files.items()})
    _write(path, models)
    for file in files.values():
        size = (out / file.path).stat().st_size / 1e6
        work = "" if file.kmac_per_pixel is None else f", {file.kmac_per_pixel} kMAC a pixel"
        print(f"{out / file.path}: {size:.2f} MB{work}")


def replace_encoders(out: Path, number: int, made: Mapping[str, Network]) -> None:
    """Write graphs that only encoders run, by role, in place of those of a model of the manifest, whose hash goes on counting the old ones.

    ValueError if the model is not there, or has no such role that only its encoder runs.
    """
    path = out / "manifest.json"
    files = {model["id"]: model["files"] for model in json.loads(path.read_text())["models"]}.get(number, {})
    encoders = [role for role, file in files.items() if file["side"] == "encoder"]
    if not set(made) <= set(encoders):
        raise ValueError(
            f"graphs must be of {', '.join(encoders) or 'a model'}, got {', '.join(made)} of number {number}"
        )
    add_extras(out, number, made)
    models = json.loads(path.read_text())["models"]
    entry = next(model for model in models if model["id"] == number)
    old = [file for role in made if (file := entry["files"][role].pop("file", None))]
    old += supersede(models, entry["name"], number)
    kept = {
        file.get("file") for model in models for kind in ("files", "extras") for file in model.get(kind, {}).values()
    }
    for file in {*old} - kept:
        (out / file).unlink(missing_ok=True)
    _write(path, models)


def _write(path: Path, models: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"models": models}, indent=2) + "\n")
