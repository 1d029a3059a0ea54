"""Pictures on the desktop of the user, and pages of HTML."""
