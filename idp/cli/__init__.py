"""Commands of an administrator.

Owns: words on a terminal, JSON for machines, exit codes. Never: a rule; each command calls the room that
has it.
"""
