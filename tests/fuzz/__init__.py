"""Inputs made up by chance, by structure and by coverage, over decoding and options."""
