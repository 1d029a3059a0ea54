r"""The gate of `restored`: how much of what its network changes is shown, of every block of 8x8, in luma and in colours.

    decoded picture ─coefficients, edges of the range─▶ around: 5x5 blocks 4 times, a mean ─┐
    what the network changes ─coefficients in steps─▶ of the block itself ───────────────────┴─▶ 0..1 of luma, 0..1 of colours

A network that learned on photographs makes some gradients, drawings, screens and strong colours worse. Whether it does can be seen
better from what it changes than foretold while it does. The gate learns on pairs of pictures that the network restored: photographs
and what `common/grounds.py`, `common/patterns.py` and, by chance, `common/composed.py` make. Its loss counts dB of luma and of RGB,
those lost many times. What each share of a block's change makes of its error is counted before (`common/errors.py`), so that
learning touches no pixel. Last, the gate learns to tell photographs from other pictures, which show less of what is changed.

`network` is the gate, `graph` its ONNX form, `judged` what it decides on and the dB it is judged by, `likeness` what tells photographs;
`__main__` trains and exports it.

    OMP_NUM_THREADS=1 python -m onnx_models.recipes.restored_gate train PATCHES_FOLDER RUN_FOLDER --screens SCREENS_FOLDER --minutes 20
    python -m onnx_models.recipes.restored_gate export RUN_FOLDER/weights.pt --id 38
"""
