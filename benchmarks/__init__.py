"""Measurements of the running service: `python -m benchmarks`."""
