"""remove.bg's contract, version 1.0."""
