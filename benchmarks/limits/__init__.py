"""What the hardware allows, and how much of it is used: `python -m benchmarks limits`."""
