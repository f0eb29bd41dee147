"""What an authority decides, without I/O, clock or randomness of its own."""
