"""Pictures in the desktop of the user: seen, known to it, drawn small by its file manager. Nothing but commands imports it."""
