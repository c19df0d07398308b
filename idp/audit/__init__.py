"""What happened, for whoever has to find out later: who signed in, what changed, what was refused, who looked.

Owns: the `audit_event` and `audit_chain` tables; one typed function for each kind of event; the seals
that make a change afterwards visible. Never: a secret, an address or a number in clear, a decision, where
the key of the seals comes from.
"""
