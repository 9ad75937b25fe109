"""What ends a job.

CatalogueError
├── InputError       the photos, the manifest or the selection is at fault; nothing has begun
├── OutputError      the output cannot be written; nothing has begun
└── StoppedError     the job cannot go on now; the same command goes on later
"""


class CatalogueError(Exception):
    """Base of every error of a job."""


class InputError(CatalogueError):
    """The photos, the manifest, an option or the selection is at fault."""


class OutputError(CatalogueError):
    """The output cannot be written."""


class StoppedError(CatalogueError):
    """The job cannot go on now; the same command goes on later."""
