"""Pages of HTML that hold all they show and ask the network for nothing. Imports nothing of the package."""
