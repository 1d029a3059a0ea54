"""The fast model `lic2`: the networks of `lic1` with other constants, taught by its weights."""
