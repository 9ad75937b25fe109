"""Triton on a GPU, and the gateway before it, measured table by table within a budget of time."""
