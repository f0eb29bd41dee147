"""A cluster of safes on one machine: real safe processes, each with its own keys, database and port.

For trying Kura out and for tests. Every safe is started the way an operator starts one
(`python -m safe_node --config FILE`), and the roster comes from the same ceremony
(docs/OPERATING.md), only that one machine plays all the operators.

    cluster = Cluster(Path("/tmp/c"))
    cluster.up(safes=5)
    cluster.kill("safe-2")
    cluster.down()
"""

import rpc_edge  # noqa: F401 - before anything imports grpc: it allows TLS 1.3 alone
