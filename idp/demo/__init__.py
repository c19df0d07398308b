"""Everything around the provider that a demonstration needs: an old portal's users, a relying party, an inbox.

Owns: demo data and its servers. `launch` prepares the provider through its own rooms, as an administrator
does; once running, portal and inbox speak SMTP, HTTP and OpenID Connect only. Never: anything that a
deployment runs.
"""
