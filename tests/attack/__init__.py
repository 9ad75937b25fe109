"""Attacks on a running service, on loopback: each module is one, `python -m tests.attack` runs them."""
