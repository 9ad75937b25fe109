"""A request's options, from protobuf to the renderer's own words, each checked."""
