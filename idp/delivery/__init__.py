"""Messages on their way: the outbox, the senders, the texts.

Owns: the `outbox` table, SMTP and SMS gateways, message templates. Never: why a message is sent, a
Flask request.
"""
