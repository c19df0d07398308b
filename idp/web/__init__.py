"""What pages and protocol share of Flask: guard, cookies, headers, error pages, language.

Owns: every cookie and response header, how an error becomes a page. Never: what a step does, protocol
messages.
"""
