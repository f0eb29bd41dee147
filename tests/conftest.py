"""For all tests: gRPC must be told about TLS before any of them imports it, and Ctrl-C must be heard."""

import signal

import rpc_edge  # noqa: F401

# A suite started in the background inherits an ignored SIGINT, and so would the commands it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
