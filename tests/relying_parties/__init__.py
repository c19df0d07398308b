"""Relying parties as others write them, against the provider as real processes."""
