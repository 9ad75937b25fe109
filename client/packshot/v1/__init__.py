"""The generated stubs of `packshot.v1`, for callers who want the bare interface."""
