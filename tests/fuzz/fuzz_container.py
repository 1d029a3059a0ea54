"""Fuzz the parser: the bytes as they come, and with their checksums made right. How to run: README.md beside this file."""

import drive
import targets


def one_input(data: bytes) -> None:
    targets.parse(data)
    targets.parse(targets.resealed(data))


if __name__ == "__main__":
    drive.run(one_input)
