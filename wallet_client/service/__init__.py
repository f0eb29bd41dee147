"""kura.wallet.v1: an open wallet as a gRPC server for programs on the same machine.

server.py      opens the wallet, listens, serves until a signal
entrance.py    who may come in: the Unix socket's folder, or loopback TLS with a token
servicer.py    one line a call; a module for each theme does the work, as the contract has it:
               about, values, transfers, receipts, deletions, policies, conditions, keys, triggers, room
watch.py       runs triggers meanwhile
errors.py      what the wallet refuses, as reasons of kura.common.v1; translation.py: from its own errors
"""

import rpc_edge  # noqa: F401 - before anything imports grpc: it allows TLS 1.3 alone
