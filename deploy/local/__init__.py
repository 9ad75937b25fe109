"""Packshot on this machine: Triton and the gateway as two processes, started and stopped as one."""
