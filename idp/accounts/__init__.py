"""A person's account: address, password, phone, personal information, and its epoch.

Owns: the `account` table, password hashing and policy, what an e-mail address and a phone number
are. Never: how somebody signs in, one-time codes, tokens.
"""
