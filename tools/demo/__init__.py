"""The demo: see __main__.py."""
