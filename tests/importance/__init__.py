"""Which places get more bits: maps of callers and of networks, in .lic and in JPEG files."""
