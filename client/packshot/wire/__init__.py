"""Standard messages that the client reads, under names of its own."""
