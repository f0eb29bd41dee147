"""State that must not be lost, for the programs that serve: one SQLite file, one writer, one process.

The modules: sqlite (connections), writer (group commit), folder (the lock), keys (files made once and read
at every start), settings. Safe and authority keep their state by them, each with tables of its own.
"""
