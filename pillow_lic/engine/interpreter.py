"""The interpreter that this code runs in, of those of the process; the standard library only."""

from __future__ import annotations


def is_main() -> bool:
    """Whether this is the interpreter that the process began with; True where that cannot be told."""
    import ctypes  # not when the format is registered, which is to cost nothing

    try:
        current, main = ctypes.pythonapi.PyInterpreterState_Get, ctypes.pythonapi.PyInterpreterState_Main
    except AttributeError:
        return True
    current.restype = main.restype = ctypes.c_void_p
    return bool(current() == main())


def require_main() -> None:
    """Raise LicRuntimeError in a sub-interpreter, where onnxruntime and the range coder would wait for ever.

    They ask for the interpreter by PyGILState, which knows only the main one. If numpy was imported, a sub-interpreter also hangs at its
    end when a file was left open.
    """
    if not is_main():
        from ..errors import LicRuntimeError

        msg = (
            "pixels cannot be coded in a sub-interpreter: onnxruntime waits there for ever; use the main interpreter of a "
            "process (mod_wsgi: WSGIApplicationGroup %{GLOBAL})"
        )
        raise LicRuntimeError(msg)
