"""What the families share that keep another codec's file, and show its picture improved by a network.

    pixels ─[compact]─▶ pixels of the inner picture ─Pillow's JPEG─▶ the one stream of the one tile           (coding)
    pixels ◀─after the graph─ restore, window by window ◀─ pixels of the inner picture ◀─ checked file ◀──┘   (restoration)

The inner picture has 1/`scale` of the rows and columns (rounded up). Its file is a JPEG file, by which nothing is read but the
markers before its size is known to be the one expected (`inner`). A model's constants say `scale`; the `window` of inner pixels that the
network restores at a time and the `margin` around it, farther than which no pixel has a part in one; and `align`, which windows
are padded to (`windows`).

After the graph, where the inner picture is as large as the outer one, come rules of FORMAT.md 14.9, a file each: `calm`, `noise`, `held`
and `still`. `views` takes the mean of several runs. Families use this room; it knows none of them.
"""
