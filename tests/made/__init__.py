"""Makers of pictures, files and folders for tests of several folders."""
