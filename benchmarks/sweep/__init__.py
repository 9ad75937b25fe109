"""The search for a model's best configuration: `python -m benchmarks sweep`."""
