"""Registered relying parties.

Owns: the `client` and `client_secret` tables, the cache of registrations. Never: protocol messages,
tokens, consent.
"""
