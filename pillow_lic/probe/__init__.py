"""How the Pillow plugins of still-image formats behave, side by side. Imports Pillow and `engine.settings`; nothing but commands imports it."""
