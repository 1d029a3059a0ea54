"""Measuring, and comparing with other formats: rates, charts, pages, profiles, plugins, pictures of screens."""
