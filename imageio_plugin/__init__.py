"""imageio plugin for .lic files."""
