"""The recipe of `lic1`: networks, entropy model, training, export, drafts, the gradient behind `effort`."""
