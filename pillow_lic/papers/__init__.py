"""The published systems side by side: claims, curves, costs and pictures on one page. Only commands import this."""
