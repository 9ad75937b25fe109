"""What can go wrong while models are trained, exported and judged.

ExportError
├── PicturesError      a folder of training or evaluation pictures is not of the expected form
├── CheckpointError    a checkpoint or weights file does not fit the network or configuration
└── VerificationError  an exported model does not answer as the network does
"""


class ExportError(Exception):
    """Base of every error of this package."""


class PicturesError(ExportError):
    """A folder of training or evaluation pictures is not of the expected form."""


class CheckpointError(ExportError):
    """A checkpoint or weights file does not fit the network or configuration."""


class VerificationError(ExportError):
    """An exported model does not answer as the network does."""
