"""Ways to run Packshot as a whole."""
