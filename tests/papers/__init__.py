"""The published systems side by side, and what they claim."""
