"""Objects rendered in memory, of kinds that a folder of training pictures lacks."""
