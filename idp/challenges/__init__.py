"""One-time codes: issue, send again, verify.

Owns: the `challenge` table and the proof that a code was right (`CodeVerified`); the `sms_conversion` and
`sms_stop` tables, which say to which countries no SMS goes. Never: what a right code leads to, pages, how a
message travels (it only enqueues one).
"""
