"""From the network's matte to a clean one with the edges of the full photo."""
