"""HTML pages that contain everything they show and load nothing from the internet. Imports nothing of the package."""
