"""What tells the format from others: its names, and the bytes that its files begin with. Imports nothing."""

FORMAT = "LIC"
EXTENSION = ".lic"
MIME = "image/x-lic"

MAGIC = b"\x8aLIC\r\n"
"""High bit set (not ASCII, not UTF-8); the line end shows a transfer in text mode."""


def accept(prefix: bytes) -> bool:
    """Tell from the first bytes (4 are enough) whether a file is ours, be it damaged or of another version: opening it says so.

    The line end after them is not asked, so that a file broken by a transfer in text mode is refused with that reason.
    """
    return prefix[:4] == MAGIC[:4]
