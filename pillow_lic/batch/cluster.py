"""A Dask cluster as an executor for `pillow_lic.convert`; Dask is an optional extra and imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import NamedTuple

from ..errors import let_pass

_PATIENCE = 10
"""Seconds within which a scheduler must answer."""


class Fleet(NamedTuple):
    """The arguments of `pillow_lic.convert` for a cluster: `executor`, and as `workers` the pictures that it does at a time."""

    executor: Executor
    workers: int


@contextmanager
def connect(address: str) -> Iterator[Fleet]:
    """Use the cluster whose scheduler is at `address` ("tcp://host:8786") for a `with` block; the cluster lives on.

    ImportError when Dask is not installed, OSError when nothing answers, no worker is there, or a worker has another
    version of this package, or none.
    """
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError as error:
        let_pass(error)
        msg = 'a scheduler needs Dask: pip install "pillow-lic[dask]"'
        raise ImportError(msg) from None
    try:
        resolve_address(address)  # a client with a wrong one ends with a traceback, 20 seconds later
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        let_pass(error)
        msg = f"no Dask scheduler answers at {address}: {error}"
        raise OSError(msg) from error
    with client:
        threads = client.nthreads()
        if not threads:
            msg = f"the scheduler at {address} has no workers: start some (an adaptive cluster with minimum=1)"
            raise OSError(msg)
        _check_versions(client.run(_version, on_error="return"))
        with client.get_executor(pure=False) as executor:
            yield Fleet(executor, sum(threads.values()))


def _version() -> str:
    from .. import __version__

    return __version__


def _check_versions(answers: dict[str, object]) -> None:
    own = _version()
    for worker, answer in answers.items():
        if answer != own:
            msg = f"worker {worker} must have pillow-lic {own}, it answered: {answer}"
            raise OSError(msg)
