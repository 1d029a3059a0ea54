"""The networks of an encoder in native code (native/analysis.hpp)."""

from .._native import Analysis, HyperAnalysis, Latents

__all__ = ["Analysis", "HyperAnalysis", "Latents"]
