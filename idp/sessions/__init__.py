"""Authentications (the row that says both factors passed) and browser sessions.

Owns: the `authentication`, `browser_session` and `client_session` tables. Only
`authenticate(PasswordVerified, CodeVerified)` inserts an authentication. Never: cookies, pages, tokens.
"""
