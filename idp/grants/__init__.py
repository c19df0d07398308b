"""What a client holds for a person: consent, authorization codes and tokens, and how they die.

Owns: the `authorization_code`, `token` and `consent` tables. What is in the first two descends from an
authentication.
Never: protocol messages, signatures, browser sessions.
"""
