"""The same work by other servers: `python -m benchmarks peers`."""
