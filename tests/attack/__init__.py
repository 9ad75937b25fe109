"""Attacks on a running service, on loopback, a module each; `python -m tests.attack` runs them."""
