"""kura.wallet.v1: an open wallet as a gRPC server for programs on the same machine.

server.py      opens the wallet, listens, serves until a signal
entrance.py    who may come in: the Unix socket's folder, or loopback TLS with a token
servicer.py    one line a call; values.py, receipts.py, transfers.py, about.py do the work
errors.py      what the wallet refuses, as reasons of kura.common.v1
"""

import rpc_edge  # noqa: F401 - before anything imports grpc: it allows TLS 1.3 alone
