"""The files that `lic encode` and `lic decode` may write over: a shell's star may have named any file as their target."""

from __future__ import annotations

import os

from ..fileformat.identity import EXTENSION, accept
from ..files import is_same


def objection(source: str, target: str, *, force: bool) -> str:
    """Return why `target` must not become what is made of `source`, or "" if it may; OSError if it cannot be read.

    A file that is there may be an original. Replaced are only empty ones and, by a picture of another format, .lic files;
    with `force` all but the source itself. Standard output ("-") and what is no file (a pipe) have nothing to lose.
    """
    if target == "-" or not os.path.isfile(target):
        return ""
    if is_same(source, target):
        return f"the target must be another file than the source, got {target}"
    if force or not os.path.getsize(target) or (_is_lic(target) and not source.lower().endswith(EXTENSION)):
        return ""
    return f"{target} is there and may be an original: name another target, or replace it with -f"


def _is_lic(path: str) -> bool:
    with open(path, "rb") as fp:
        return accept(fp.read(4))
