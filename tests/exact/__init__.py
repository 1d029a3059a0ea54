"""What is kept exactly: letters, lines and drawings, their colours, their section of a file."""
