"""Why an image could not be built, tried or described.

ImageError      a tool is missing or failed; the message says which and with what words
"""


class ImageError(Exception):
    """A tool is missing or failed."""
