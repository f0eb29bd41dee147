"""The documents the parties of a backup exchange: exact bytes, signatures, strict parsing.

Pure: nothing here does I/O, reads a clock or draws randomness. What must be unpredictable or
timely is an argument.
"""
