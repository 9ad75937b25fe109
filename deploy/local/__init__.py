"""Packshot on this machine: Triton, the gateway and the HTTP face, started and stopped as one."""
