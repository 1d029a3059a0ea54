"""The command `lic` for tests: run in this process."""

from pillow_lic import __main__ as command


def run(*words: object) -> int:
    """Return the exit status of `lic` with these words."""
    return command.main([str(word) for word in words])
