"""The parts of a picture that are kept exactly where the rest is coded with loss: letters, lines, flat grounds, icons.

    colors ─drawn─▶ blocks worth keeping, margins   ┬─layer─▶ exact section (colours merged below quality 5, and of what is no letter)
           │                                        │        colours of what JPEG damaged snapped (`damage`, `snapping`)
           ├glyphs▶ ink and cover on smooth grounds ┘
           └─ground─▶ smooth under what is kept ─▶ the family's encoder

`search` goes through a picture square by square; `square` chooses what is kept of one, by `choice`; `layer` is the result.
All is weighed at the aim of a level (`aims`); `writing.forms` compares whole files. Pages that were saved as JPEG before (`damage`) get
colours of fewer bits (`snapping`). What goes pixel by pixel is in native code (`pixelwise`). A photograph has no such blocks, and its file
stays as it is without this room.
"""
