"""Measurements of the product, by hand: see README.md. Not shipped."""
