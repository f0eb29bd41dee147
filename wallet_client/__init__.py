"""The wallet: keeps values, receipts and keys, and does all the cryptography.

The only one of the three programs that ever holds a value whole; safes and authority see pieces.
"""

import rpc_edge  # noqa: F401  # before grpc, whichever module of the wallet is imported first
