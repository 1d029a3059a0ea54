"""Pictures, files and folders made for tests of several rooms."""
