"""Paths and URLs: which is which, what is current, and that ordinary paths cost nothing new."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pillow_lic import files
from pillow_lic.batch import locations, stores


def test_what_is_current(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x")
    assert not locations.is_current(target, source)
    target.write_bytes(b"")
    assert not locations.is_current(target, source)
    target.write_bytes(b"y")
    files.set_times(target, source.stat())
    assert locations.is_current(target, source)
    os.utime(source, (2e9, 2e9))
    assert not locations.is_current(target, source)
    (tmp_path / "folder").mkdir()
    os.utime(source, (1e9, 1e9))
    assert not locations.is_current(tmp_path / "folder", source)


def test_a_source_replaced_in_the_second_in_which_it_was_read_is_another_one(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x")
    target.write_bytes(b"y")
    files.set_times(target, source.stat())
    new = os.stat(target).st_ctime_ns + 1000
    os.utime(source, ns=(new, new))
    assert not locations.is_current(target, source)


@pytest.mark.parametrize("name", ["a.png", "/a/b.png", "C:\\a.png", "C:/a.png", "a::b.png", "://a", "~/a", "a:b"])
def test_paths(name: str) -> None:
    assert locations.place(name) == Path(name)
    assert locations.place(Path(name)) == Path(name)


@pytest.mark.parametrize(
    "name", ["s3://bucket/a.png", "https://host/a", "zip://*.png::/a.zip", "simplecache::s3://b/a"]
)
def test_urls(name: str) -> None:
    assert stores.is_url(name)


@pytest.mark.skipif(sys.platform == "win32", reason="a path of POSIX")
def test_a_file_url_is_a_path() -> None:
    assert locations.place("file:///a%20b/c%23.png") == Path("/a b/c#.png")
    assert locations.place("FILE:///a/*.png?") == Path("/a/*.png?")


def test_paths_do_not_import_what_urls_need(tmp_path: Path) -> None:
    program = (
        "import sys, pillow_lic; pillow_lic.convert(sys.argv[1] + '/*.png', sys.argv[1] + '/out'); "
        "print({'fsspec', 'distributed', 'dask', 'urllib.request'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
