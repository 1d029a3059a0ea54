"""A comparison of the Pillow plugins of still-image formats. Imports Pillow and `engine.settings`; only commands import this."""
