"""Values and how they come in: the typed record, its encoding, and the importers.

Modules are imported one by one, so that listing a wallet does not load what reads ZIP files.
"""
