"""Receipts: what the wallet keeps in place of a value that safes hold."""
