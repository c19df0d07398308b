"""Hosted pages: what a person sees and types.

Owns: handlers, the words for outcomes. Never: what an outcome means or what comes next (`flow`), protocol
messages.
"""
