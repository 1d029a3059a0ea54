"""What Pillow and imageio expect of the format: opening, saving, modes, colours, metadata, files that are wrong."""
