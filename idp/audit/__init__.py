"""What happened, for whoever has to find out later: who signed in, what changed, what was refused.

Owns: the `audit_event` table; one typed function for each kind of event. Never: a secret, an address or a
number in clear, a decision.
"""
