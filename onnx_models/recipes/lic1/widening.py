"""Wider transforms that compute the same as narrower ones, so that training goes on where it was (Net2Net, Chen et al. 2015).

New channels have the weights of a new network, and the old ones read nothing of them yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

FIXED = ("means.", "scales.", "prior.")
"""Prefixes of layers that read several inputs side by side, so that a new channel would move the others."""


def widened(narrow: Mapping[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Return the state of `net` with the weights `narrow` of a network as deep and nowhere wider; ValueError for any other."""
    wide, result = net.state_dict(), {}
    if unlike := narrow.keys() ^ wide.keys():
        msg = f"the layers must be the same, only one network has {', '.join(sorted(unlike))}"
        raise ValueError(msg)
    for name, fresh in wide.items():
        old = narrow[name].to(fresh)
        fits = old.ndim == fresh.ndim and old.shape[2:] == fresh.shape[2:]
        fits = fits and all(o <= f for o, f in zip(old.shape, fresh.shape, strict=True))
        if not fits or (old.shape != fresh.shape and name.startswith(FIXED)):
            msg = f"{name} of shape {tuple(old.shape)} cannot become {tuple(fresh.shape)}"
            raise ValueError(msg)
        fresh = fresh.clone()
        if fresh.ndim == 4:
            fresh[: len(old), old.shape[1] :] = 0
        fresh[tuple(slice(size) for size in old.shape)] = old
        result[name] = fresh
    return result
