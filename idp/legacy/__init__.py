"""The old user stores: who answers "is this password right for this identifier?".

Owns: the source protocol and its answers, each kind of source, foreign password hashes, the
`legacy_identity` table (which rows of the old stores we have met, and the account that claimed
each), and the `legacy_row` and `legacy_load` tables of stores that were copied. Never:
accounts' passwords, pages, migration choices.
"""
