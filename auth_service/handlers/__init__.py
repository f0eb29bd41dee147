"""The edge of the authority: the only part of it that knows messages and gRPC."""
