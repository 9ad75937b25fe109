"""Attacks on a running service, on loopback; `python -m tests.attack` runs each module's."""
