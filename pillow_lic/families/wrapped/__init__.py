"""What those families share that keep a JPEG file and show its picture improved by a network.

    pixels ─[compact]─▶ pixels of the inner picture ─Pillow's JPEG─▶ the one stream of the one tile           (coding)
    pixels ◀─after the graph─ restore, window by window ◀─ pixels of the inner picture ◀─ checked file ◀──┘   (restoration)

The inner picture, which the JPEG file holds, has 1/`scale` of the rows and columns (rounded up). Only the markers of the JPEG file are
read until its size is known to be right (`inner`). The network, and a second one behind it (`refine`) if the model has one, restores a
square of `window` inner pixels at a time, of which it sees a halo of `margin` pixels around, padded to a multiple of `align` (`windows`).
These four are constants of the model.

If the inner picture is as large as the outer one, rules follow that decide where the decoded picture is better than what the network made
of it (FORMAT.md 14.9). Each has a file: `calm`, `noise`, `held`, `still`, `gate`. `views` takes the mean of several runs. Families use
this folder; it knows none of them.
"""
