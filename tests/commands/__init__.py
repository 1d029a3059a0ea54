"""The command `lic`: its words, exit codes, reports, streams and terminals."""
