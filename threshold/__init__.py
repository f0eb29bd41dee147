"""Pure mathematics of Kura: how a secret is divided, checked, sealed and put together again.

Nothing here reads a file, a clock or the network, and nothing draws randomness by itself: a
`RandomSource` is always an argument (`hpke` explains its one exception). The package imports nothing
else of Kura. Import the module you need (`from threshold import shamir`); this page stays empty so that
a command pays only for what it uses.
"""
