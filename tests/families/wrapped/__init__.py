"""Files that hold a JPEG file, and JPEG files restored."""
