"""Runs Triton, the inference server behind the gateway: `python -m serving`."""
