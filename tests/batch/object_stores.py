"""Files in stores of fsspec for tests."""

import pytest

from pillow_lic.batch.plan import Pair

fsspec = pytest.importorskip("fsspec")


def put(url: str, data: bytes = b"x") -> None:
    system, path = fsspec.core.url_to_fs(url)
    system.makedirs(system._parent(path), exist_ok=True)
    system.pipe_file(path, data)


def names(found: list[Pair], root: str) -> list[tuple[str, str]]:
    """Return the sources and targets of pairs below a root."""
    return [(str(pair.source).removeprefix(root), str(pair.target).removeprefix(root)) for pair in found]
