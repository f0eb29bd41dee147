"""Durable records of a safe, behind one Protocol (base.py)."""
