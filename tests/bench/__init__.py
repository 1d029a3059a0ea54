"""Measuring, and comparing with other formats: rates, charts, pages, profiles, pictures of screens."""
