"""The recurrent codecs: Toderici 2015 and 2017, Johnston 2018, Minnen 2017.

    r = x - x_hat ──encoder step──▶ 32 signs for every 16x16 pixels ──decoder step──▶ x_hat, nearer to x      as often as bits allow

`network` is the codec and what its papers vary, `cells` what its steps remember by, `train` a run of it, `compare` short equal
runs of variants, `export` its graphs and contexts. Every step sees the residual that the one before has left.
"""
