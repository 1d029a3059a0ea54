"""The family `lic1`: one scale, a hyperprior, exact integer scales in passes, importance fields. Imports `engine` and `fileformat`."""
