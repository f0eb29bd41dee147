"""The ceiling of everything that crosses the network: gRPC, TLS and SQLite, and nothing else.

Five server processes keep rows in a database with synchronous=FULL and answer after the commit. They
check nothing, sign nothing, divide nothing and batch nothing: a Python safe cannot do less than this.
"""

import rpc_edge  # noqa: F401  before grpc, so that the bare parts speak TLS 1.3 alone as well
