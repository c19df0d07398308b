"""Keys: the key-encryption key, wrapped secrets, and the signing keys of the provider.

Owns: the `signing_key` table and `keys/kek.json`. The only room that imports jwcrypto. Never: what is
signed or wrapped.
"""
