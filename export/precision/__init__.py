"""Cheaper variants of a served graph: half precision and 8-bit integers, held to full precision."""
