"""Registered relying parties.

Owns: the `client`, `client_secret`, `registration_token` and `pairwise_salt` tables; the rules of a
registration and who may change one; the caches of registrations and of clients' public keys. Never: protocol
messages, tokens, consent.
"""
