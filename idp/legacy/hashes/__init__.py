"""Verifying the password hashes of old systems. New hashes are never made here.

Owns: which schemes there are (`SCHEMES`), what a hash is by its form (`identify`) or could be (`candidates`),
and comparing (`verify`).
Never: where hashes come from, and who may try how often.
"""

from idp.legacy.hashes.costs import UnsupportedHashError
from idp.legacy.hashes.verifying import HOME_MADE, SCHEMES, candidates, fits, identify, verify

__all__ = [
    "HOME_MADE",
    "SCHEMES",
    "UnsupportedHashError",
    "candidates",
    "fits",
    "identify",
    "verify",
]
