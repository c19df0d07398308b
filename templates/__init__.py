"""Hosted pages, as Jinja templates."""
