"""The networks of an encoder in native code (native/analysis.hpp), and the gradient of its error (native/gradient.hpp)."""

from .._native import Analysis, ErrorGradient, HyperAnalysis, Latents

__all__ = ["Analysis", "ErrorGradient", "HyperAnalysis", "Latents"]
