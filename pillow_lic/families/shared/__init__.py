"""What several published systems have in common, so that the file of a paper holds only what the paper is about.

Of every plain family: `tilewise`. Of those whose symbols are the rounded latents of one network: `transform`, `factorised`, and
`bitplanes`, which codes them plane by plane. Of the recurrent ones: `recurrence` and `sign_streams`. Families use this room; it
knows none of them.
"""
