"""Trees of files for tests that look at names alone."""

import builtins
import os
from pathlib import Path
from types import ModuleType

import pytest

from pillow_lic.batch.plan import Pair


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names(pairs: list[Pair], base: Path) -> list[tuple[str, str]]:
    return [(os.fspath(p.source.relative_to(base)), os.fspath(p.target.relative_to(base))) for p in pairs]


def not_entered(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have a folder refuse whoever looks at what it lists, as one with the right to list and not to enter."""
    for module, name in ((os, "stat"), (os, "lstat"), (builtins, "open")):
        _refuse(monkeypatch, module, name, f"{folder}{os.sep}")


def not_listed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have a folder refuse to be listed."""
    _refuse(monkeypatch, os, "scandir", f"{folder}")


def _refuse(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, start: str) -> None:
    real = getattr(module, name)

    def refused(path: str | Path | int = ".", *what: object, **how: object) -> object:
        if not isinstance(path, int) and os.fspath(path).startswith(start):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path, *what, **how)

    monkeypatch.setattr(module, name, refused)
