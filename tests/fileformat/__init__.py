"""The bytes of a file, and that FORMAT.md says all of them: the container, tiles, alpha, golden and fuzzed files."""
