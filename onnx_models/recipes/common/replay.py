"""Forward and backward pass on a GPU as one CUDA graph for each shape of the inputs: thousands of small kernels in one launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

WARM_UP = 2
"""Passes before the capture, in which kernels are compiled and libraries allocate."""


class _Recording(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: list[Tensor]
    gradients: list[Tensor | None]
    result: Tensor


class Replayed:
    """A function like `learn`, which sets the gradients of the parameters and returns a tensor, for tensors on any device."""

    def __init__(self, learn: Callable[..., Tensor], parameters: Sequence[nn.Parameter], device: torch.device) -> None:
        self._learn, self._parameters, self._device = learn, parameters, device
        self._recordings: dict[tuple[torch.Size, ...], _Recording] = {}

    def __call__(self, *inputs: Tensor) -> Tensor:
        shapes = tuple(v.shape for v in inputs)
        if shapes not in self._recordings:
            self._recordings[shapes] = self._recorded([v.to(self._device, copy=True) for v in inputs])
        recording = self._recordings[shapes]
        for there, here in zip(recording.inputs, inputs, strict=True):
            there.copy_(here, non_blocking=True)
        recording.graph.replay()
        for p, gradient in zip(self._parameters, recording.gradients, strict=True):
            p.grad = gradient
        return recording.result.clone()

    def _recorded(self, inputs: list[Tensor]) -> _Recording:
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM_UP):
                self._learn(*inputs)
        torch.cuda.current_stream().wait_stream(aside)
        for p in self._parameters:
            p.grad = None
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = self._learn(*inputs)
        return _Recording(graph, inputs, [p.grad for p in self._parameters], result)
