"""The protocol: authorization, token, userinfo, discovery, logout.

Owns: every protocol endpoint and message; the only room that speaks Authlib's server half. Never: how a
user signs in (it sends them to an interaction), and it can read an authentication but not make one.
"""
