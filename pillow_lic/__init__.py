"""Learned image compression for Pillow."""
