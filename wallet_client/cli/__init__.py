"""The command line `kura`: reads arguments, calls one operation, prints what it came to.

One module, one command or a few that belong together. A module of commands imports nothing heavy at
its top, and is itself imported only when one of its commands runs: `kura --help` loads click alone.
"""
