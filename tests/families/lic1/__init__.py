"""Our own family, which `lic1` and `lic2` are models of: passes, trellis, filters, refinement, cut files."""
