"""How a value may be coupled, sealed, divided and placed: one pipeline, many policies."""
