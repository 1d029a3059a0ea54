"""The parts of a picture that are kept exactly where the rest is coded with loss: letters, lines, flat grounds, icons.

    colors ─blockwise─▶ blocks worth keeping, margins   ┬─layer─▶ exact section (colours merged below quality 5, and of what is no letter)
           │                                            │        colours of what JPEG damaged snapped (`damage`, `snapping`)
           ├glyphs▶ ink and cover on smooth grounds ────┘
           └─ground─▶ smooth under what is kept ─▶ the family's encoder

`search` goes through a picture square by square, each of up to 1024 pixels a side and alone. `square` chooses what is kept of one, by
`choice`, in blocks of 16x16 pixels; `layer` is the result. What goes by blocks is in `blockwise`, what goes by pixels in `pixelwise`.
All is weighed at the aim of a level (`aims`); `writing.forms` compares whole files. Pages that were saved as JPEG before (`damage`) get
colours of fewer bits (`snapping`). A photograph has no such blocks, and its file stays as it is without this room.

Words: what is *drawn* was made by a program, not by a camera. *Cover* is how much of a pixel ink takes. *Slope* is the bits that a squared
level of error is worth (`aims`).
"""
