"""For all tests: gRPC must be told about TLS before any of them imports it."""

import rpc_edge  # noqa: F401
