"""Generated from protos/ by tools/generate_stubs.py. Do not edit."""
