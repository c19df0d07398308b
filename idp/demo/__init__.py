"""Everything around the provider that a demonstration needs: an old portal's users, a relying party, an inbox.

Owns: demo data and its servers. Never: anything that a deployment runs; it reaches the provider over
SMTP, HTTP and OpenID Connect only, as others do.
"""
