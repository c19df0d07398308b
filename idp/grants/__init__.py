"""What a client holds: consent, authorization codes and tokens of a person, tokens of its own; how they die.

Owns: the `authorization_code` and `token` tables, in which everything descends from an authentication, the
`consent` table, and `client_token`, in which nothing is about a person.
Never: protocol messages, signatures, browser sessions.
"""
