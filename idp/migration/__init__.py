"""A legacy identity's way to an account: the durable case and its choices.

Owns: the `migration_case` and `invitation` tables; opening, choosing, completing; what a campaign keeps
(`campaign_pause`, `campaign_day`, `reminder_stop`). Never: who may act on a case now (the
proofs are the interaction's, in `flow`), pages, how a legacy password is checked.
"""
