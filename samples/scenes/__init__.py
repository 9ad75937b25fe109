"""One module per sample photo, each with a `build` function that returns its `Scene`."""
