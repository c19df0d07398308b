"""What a client holds for a person: authorization codes and tokens, and how they die.

Owns: the `authorization_code` and `token` tables. Everything in them descends from an authentication.
Never: protocol messages, signatures, browser sessions.
"""
