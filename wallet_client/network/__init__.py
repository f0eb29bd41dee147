"""The wallet's side of the wire: one link to each safe, one fan-out for every operation."""
