"""The bytes of a .lic file. Imports the standard library, and numpy where planes are coded; nothing else of the package but `errors`."""
