"""One operation, one file: decode, decide, store, encode. Who calls was settled by rpc_edge before."""
