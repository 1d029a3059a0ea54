"""Layers in C++ against the networks, with every instruction set, thread count and processor."""
