"""Authentications (the row that says both factors passed) and browser sessions.

Owns: the `authentication`, `browser_session`, `client_session` and `logout_notice` tables. Only
`authenticate(PasswordVerified, CodeVerified)` inserts an authentication. Never: cookies, pages, tokens.
"""
