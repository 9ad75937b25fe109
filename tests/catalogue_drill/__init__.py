"""A job on the real stack that is killed again and again: `python -m tests.catalogue_drill`."""
