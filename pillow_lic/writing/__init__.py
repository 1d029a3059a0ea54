"""How a picture becomes a file: which form costs least, the preview it has, the level that a target needs. Only writers import this."""
