"""Fuzz opening and loading small pictures through Pillow, checksums made right. How to run: README.md beside this file."""

import drive
import targets


def one_input(data: bytes) -> None:
    targets.open_picture(targets.resealed(data))


if __name__ == "__main__":
    drive.run(one_input)
