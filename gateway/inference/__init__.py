"""The inference server: one client of Triton with its circuit, retries and readiness."""
