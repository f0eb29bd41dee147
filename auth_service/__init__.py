"""The authority: knows owners by password and device, and says so to safes in signed assertions.

Handlers decode and authorise; `decisions` are pure; the store keeps; docs/DESIGN.md section 6 says what for.
"""

import rpc_edge  # noqa: F401 - before anything imports grpc: it allows TLS 1.3 alone
