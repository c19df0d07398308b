"""The way of one authorization request through our pages: its proofs, and the step they lead to.

Owns: the `interaction` and `alert` tables, `next_step`, the requirements of a request, what happens at each
step. Never: HTML, forms, cookies, protocol messages.
"""
