"""What starts backups and recoveries by itself, as computation: no clock, no sensor, no database.

A trigger says what must hold and what it starts, each in a phrase that people read and write. Everything
it is judged by is an argument: the time and its zone, how full the wallet is, what may come back, and what
the sensors read. `operations.triggers` brings these together and does what is due.
"""
