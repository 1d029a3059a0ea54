"""What can go wrong, as a tree; the standard library only.

    SyntaxError
      NotLicError            not our magic: Pillow goes on and asks its other plugins
    OSError
      LicError               a .lic file, but it cannot be read or written; the message says why
        LicTruncatedError      the file ends too early
        LicDamagedError        bytes were altered: a checksum or a rule of the format does not hold
        LicUnsupportedError    from a later or another writer: version, reserved bit, unknown critical section or model
        LicLimitError          larger than the limits of the format or of this program allow
        LicDesyncError         every checksum holds, yet the symbols came out differently than the writer's
        LicRuntimeError        the network engine failed: out of memory, provider missing

Pillow turns SyntaxError into "cannot identify image file" and lets OSError pass through, which is why the tree has two
roots. Wrong arguments (a quality of -3) are `ValueError` or `TypeError`, as in Pillow.
"""

__all__ = [
    "LicDamagedError",
    "LicDesyncError",
    "LicError",
    "LicLimitError",
    "LicRuntimeError",
    "LicTruncatedError",
    "LicUnsupportedError",
    "NotLicError",
]


class NotLicError(SyntaxError):
    """The bytes do not begin with the magic of a .lic file."""


class LicError(OSError):
    """A .lic file that cannot be read or written; the root of all errors about files that are ours."""


class LicTruncatedError(LicError):
    """The file ends before its last tile does."""


class LicDamagedError(LicError):
    """A checksum or a rule of the format does not hold."""


class LicUnsupportedError(LicError):
    """The file is sound but asks for something this release does not know."""


class LicLimitError(LicError):
    """A size is above the limits of the format or above those the caller set."""


class LicDesyncError(LicError):
    """The bytes are intact but decode to other symbols than those written: a fault of the decoder, not of the file."""


class LicRuntimeError(LicError):
    """The network engine refused or failed to run."""
