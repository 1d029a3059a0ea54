"""Do something once, right after another package has been imported; the standard library only, and little of it.

`lic autoload on` copies this file into site-packages and calls :func:`autoload` from there when Python starts, so it
must stand alone, cost next to nothing while Pillow is not imported, and never raise.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # these two would be most of what a start of Python costs
    from collections.abc import Callable
    from typing import Any


class _AfterImport:
    """A finder that answers for one module, once: it lets the others find it and runs `action` after its code."""

    def __init__(self, name: str, action: Callable[[], object]) -> None:
        self._name = name
        self._action = action
        self._asking = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return the spec the other finders give, its loader made to call the action; None for every other module."""
        if name != self._name or self._asking:  # asked back by another of this kind, which we asked ourselves
            return None
        self._asking = True
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find else None
                if spec is not None:
                    if spec.loader is not None:
                        self._watch(spec.loader)
                    return spec
            return None
        finally:
            self._asking = False

    def _watch(self, loader: Any) -> None:
        run = getattr(loader, "exec_module", None)
        if run is None:
            return

        def exec_module(module: Any) -> None:
            # A loader may have several modules (those of zip files do), and may have been found, unused, before.
            if module.__name__ != self._name or self not in sys.meta_path:
                run(module)
                return
            sys.meta_path.remove(self)  # only now: asking for the spec of a module does not import it
            vars(loader).pop("exec_module", None)
            run(module)
            self._action()

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader with slots or none of its own state: nothing to hook
            return


def after_import(name: str, action: Callable[[], object]) -> None:
    """Call `action()` now if module `name` is imported already, else right after it is."""
    if name in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _AfterImport(name, action))


def _register() -> None:
    """Import pillow_lic, which registers; say nothing if it is gone, because a start-up file may outlive it.

    What a signal handler of the program raises meanwhile passes on, as of `errors.let_pass`.
    """
    try:
        import pillow_lic  # noqa: F401 - registers
    except Exception as error:  # whatever is left of the package raises; the user's program goes on
        try:
            from pillow_lic.errors import let_pass
        except Exception:
            return
        let_pass(error)


def autoload() -> None:
    """Register .lic with Pillow as soon as it is imported, unless LIC_AUTOLOAD is 0; once, however often it is called.

    Python reads the start-up files of a virtual environment twice.
    """
    waiting = any(isinstance(finder, _AfterImport) for finder in sys.meta_path)
    if os.environ.get("LIC_AUTOLOAD") != "0" and not waiting:
        after_import("PIL.Image", _register)
