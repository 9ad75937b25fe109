"""Four statements on GPUs, measured: `python -m benchmarks why-gpu`."""
