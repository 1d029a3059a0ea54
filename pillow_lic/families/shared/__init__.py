"""What several published systems have in common, so that the file of a paper holds only what the paper is about.

* every plain family: `tilewise`, tiles with a halo
* those whose symbols are the rounded latents of one network: `transform`; to code them, `factorised` or `bitplanes`
* the recurrent ones: `recurrence`, and `sign_streams` to code their signs

Families use this folder; it knows none of them.
"""
