"""The same work by what users would pick instead: `python -m benchmarks peers`."""
