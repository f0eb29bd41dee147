"""What a safe decides: pure functions of what was sent and what is stored.

No I/O, no clock, no randomness. A refusal is one of those in trust, raised.
"""
