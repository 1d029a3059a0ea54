"""The package where it is not simply imported: start-up files, frozen programs, sub-interpreters."""
