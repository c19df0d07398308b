"""A legacy identity's way to an account: the durable case and its choices.

Owns: the `migration_case` table; opening, choosing, completing. Never: who may act on a case now (the
proofs are the interaction's, in `flow`), pages, how a legacy password is checked.
"""
