"""The path of a picture to its file and back: options, parts, drafts of it, every pixel kept, memory, the errors left."""
