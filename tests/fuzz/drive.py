"""Run a fuzz target under atheris, with pillow_lic's own functions instrumented.

One by one after their import, because atheris's import hook has no effect on an editable installation.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from types import FunctionType

import atheris


def functions(owner: object, module: str) -> Iterator[FunctionType]:
    for value in vars(owner).values():
        if isinstance(value, property):
            value = value.fget
        if getattr(value, "__module__", None) != module:
            continue
        if isinstance(value, FunctionType):
            yield value
        elif inspect.isclass(value):
            yield from functions(value, module)


def run(one_input: Callable[[bytes], None]) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith("pillow_lic."):
            for function in functions(module, name):
                atheris.instrument_func(function)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
