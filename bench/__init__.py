"""Measurements of the product, by hand: `python -m bench.delivery`. Not shipped."""
