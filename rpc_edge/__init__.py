"""The gRPC edge that all Kura programs share: TLS, channels, errors, authentication, serving.

The modules: tls and connection_failures (who is at the other end), error_table and errors (what it says),
client (asking), edge, layers, authentication and freshness (being asked), server (running).

Import this package before grpc: each program does so in its own __init__, it costs nothing. gRPC reads its
environment once, while it is imported, and offers no other way to say two things that Kura needs:

* TLS 1.3 only (docs/DESIGN.md, section 5). grpcio has no setting for the lowest version. It has one for the
  cipher suites of TLS 1.2 and below, and none for those of TLS 1.3, which BoringSSL always offers. The one
  suite named here needs a pre-shared key, which nobody has, so no TLS 1.2 handshake can succeed in either
  direction. Servers check the version of each call once more (rpc_edge.layers.tls13_only). Whatever the
  environment said before is overruled, and an import in the wrong order fails at once.
* Silence: handshake failures reach the caller as typed errors; gRPC's own lines on stderr say them twice.
  Set GRPC_VERBOSITY to hear them.
"""

import os
import sys

_NO_TLS12 = ("GRPC_SSL_CIPHER_SUITES", "ECDHE-PSK-AES128-CBC-SHA")

if os.environ.get(_NO_TLS12[0]) != _NO_TLS12[1]:
    if "grpc" in sys.modules:
        raise ImportError("rpc_edge must be imported before grpc, or TLS 1.2 would be allowed")
    os.environ[_NO_TLS12[0]] = _NO_TLS12[1]
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
