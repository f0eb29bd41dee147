"""The safe: keeps pieces for wallets it cannot read, and certifies each one.

handlers/   decode a call, hand it on, encode the answer
decisions/  pure: what is accepted, certified, given out, erased
store/      the records, on what `durable` gives: one writer, group commit
server.py   puts them together; __main__.py is the operator's command
"""

import rpc_edge  # noqa: F401 - before anything imports grpc: it allows TLS 1.3 alone
