"""The load generator: `python -m benchmarks load`."""
