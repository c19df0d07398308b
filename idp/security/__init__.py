"""Secrets and how they are compared, and the throttle that counts tries in the database.

Owns: the `throttle` table, random tokens and their digests, the `cache_version` table that keeps the
processes' copies of clients and keys fresh. Never: a word about accounts, codes or
clients; callers name their own buckets.
"""
