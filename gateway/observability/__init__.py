"""Metrics, traces and a line per request."""
