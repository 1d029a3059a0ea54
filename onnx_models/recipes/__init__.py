"""How the models of pillow-lic were made: networks, data, training, export, proofs. Needs torch; never imported at run time."""
